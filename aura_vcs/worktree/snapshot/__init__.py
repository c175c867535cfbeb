"""Reading your files into objects."""
