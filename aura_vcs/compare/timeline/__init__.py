"""What changed between two timelines."""
