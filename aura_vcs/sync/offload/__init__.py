"""Content that is at a remote only."""
