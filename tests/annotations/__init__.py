"""Notes, provenance, recipes."""
