"""Checking, repairing and freeing remotes."""
