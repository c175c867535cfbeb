"""Hostile and damaged content."""
