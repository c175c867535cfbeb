"""What changed, and joining what diverged: documents, timelines, text, media, trees.

Everything here is pure: bytes, text and parsed JSON come in, frozen structs come out. Nothing
reads a repository or a project folder; only `media_probe` looks at the media files it is given,
in a process of its own.
"""
