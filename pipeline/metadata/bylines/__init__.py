"""Who signed an article: bylines parted into names, and names told apart into persons, agencies and newsrooms."""
