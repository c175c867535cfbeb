"""Remotes whose content nobody else can read."""
