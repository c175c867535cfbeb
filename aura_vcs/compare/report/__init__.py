"""A report of what changed, as a page to look at."""
