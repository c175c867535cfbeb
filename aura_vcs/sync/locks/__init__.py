"""Words to others that somebody works on a file."""
