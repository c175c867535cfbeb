"""Keeping a project in order: collecting garbage, verifying, telling where the bytes are."""
