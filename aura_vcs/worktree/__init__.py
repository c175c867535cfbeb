"""The project's own files: looking at them, storing them, putting them back."""
