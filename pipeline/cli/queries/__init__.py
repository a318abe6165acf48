"""Commands that read the archive and change nothing."""
