"""What versions are called: revisions, branches, tags."""
