"""When something may be asked again, and what becomes of its row: pure decisions, clock and chance passed in."""
