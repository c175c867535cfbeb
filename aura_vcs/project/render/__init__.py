"""Films from documents and media."""
