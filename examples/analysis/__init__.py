"""Examples of analyses over the archive and its exports."""
