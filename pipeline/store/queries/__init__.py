"""Questions to the archive, answered from its views."""
