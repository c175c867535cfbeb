"""What changed, and merges of what diverged: documents, timelines, text, media, trees.

Everything here is pure: bytes, text and parsed JSON come in, frozen structs come out. Nothing
reads a repository or a project folder.
"""
