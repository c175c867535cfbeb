"""What happens to a project over time: versions, branches, tags, going back, undo."""
