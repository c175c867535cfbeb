"""Checkpoints and exports, and what was done to a project."""
