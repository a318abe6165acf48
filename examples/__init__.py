"""Runnable examples, importable from the tests."""
