"""Processes that read documents: the pool that calls them, and the server that forks them."""
