"""Feeds in SQL: subscriptions, their polls and entries, their addresses, and their hubs."""
