"""Looking at your files."""
