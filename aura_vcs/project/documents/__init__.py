"""The documents of a project: models, checks, state."""
