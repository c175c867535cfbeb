"""Stand-ins for tests: calls that fail or are recorded, a remote in memory."""
