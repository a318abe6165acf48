"""Small worlds that the tests run against."""
