"""Connections and transactions, the same on SQLite and PostgreSQL, and rows written through them."""
