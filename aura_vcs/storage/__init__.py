"""Bytes under names: local folders, memory, and wrappers of the same protocol."""
