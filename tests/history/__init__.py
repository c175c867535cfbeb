"""Versions, branches, going back, undo."""
