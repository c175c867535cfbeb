"""Refs: small files that may be replaced."""
