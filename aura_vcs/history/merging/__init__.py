"""Merges of versions: bases, conflicts and where these stand after edits."""
