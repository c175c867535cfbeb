"""Places that machines exchange versions through."""
