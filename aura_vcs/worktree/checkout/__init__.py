"""Writing your files, and destroying nothing that is found."""
