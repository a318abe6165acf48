"""Bringing a database to the schema of this version, online, with views and triggers made again."""
