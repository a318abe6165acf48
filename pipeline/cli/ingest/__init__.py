"""Commands that poll, fetch and store."""
