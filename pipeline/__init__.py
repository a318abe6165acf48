"""Streaming news ingestion: feeds in, cleaned articles with their history in SQL."""

__version__ = "0.2.0"
