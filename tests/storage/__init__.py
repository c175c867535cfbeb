"""Bytes under names, and the locks around them."""
