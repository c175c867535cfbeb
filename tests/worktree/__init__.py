"""The project's own files, seen and written."""
