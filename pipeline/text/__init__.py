"""Words, scripts and copies of text: how texts are counted, folded, hashed and compared."""
