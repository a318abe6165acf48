"""Commands that maintain the database and the archived responses."""
