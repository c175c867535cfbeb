"""The object store: content under its hash, whatever way it is kept."""
