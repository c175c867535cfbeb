"""Remotes whose content nobody else can read."""

ENCRYPTION = "encryption.json"
"""The file of an encrypted remote that says how it is."""
