"""The index: a SQLite projection of objects, refs and operations, to answer quickly.

Nothing lives here alone. It may be deleted, zeroed or damaged at any moment; the next command
builds it anew from the files.
"""
