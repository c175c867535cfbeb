"""The library against a model made of plain copies."""
