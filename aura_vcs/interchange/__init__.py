"""Ways in and out: histories of other programs, and versions as plain files or archives."""
