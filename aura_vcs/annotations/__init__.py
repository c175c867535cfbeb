"""Notes on versions and files, and what is known of where files came from."""
