"""Three-way merges of trees, documents, timelines and texts."""
