"""Looking back: graph, history of files and fields, content, media that are elsewhere."""
