"""Packs: files that hold many objects."""
