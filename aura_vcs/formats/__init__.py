"""Formats of files, read and written as bytes: no project, no network, no clock."""
