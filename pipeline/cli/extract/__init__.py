"""Commands about extraction: what is read from a page, and by which rules."""
