"""Backfill jobs and their units in SQL."""
