"""What is known of a remote: manifest, snapshot, cache."""
