"""The one place that speaks SQL: SQLite and PostgreSQL through SQLAlchemy.

Every function takes a `Connection` inside a transaction, which the caller begins with `write` or `reading`; none
begins or ends one by itself. All writes are idempotent: what is written twice is there once.
"""
