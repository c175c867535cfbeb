"""Finding out what the other side is missing, and moving it."""
