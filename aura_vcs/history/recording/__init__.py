"""Making versions and changing your files, so that an interruption leaves the old state or the new."""
