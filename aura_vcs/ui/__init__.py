"""The history as a page to look at: a small server on this machine alone, for the person who started it."""
