"""Carrying a project between machines: what a remote holds, and how it gets there and back."""
