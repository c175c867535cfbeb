"""What changed between two values, texts or documents."""
