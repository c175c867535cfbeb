"""Objects: loose, packed, chunked, read back."""
