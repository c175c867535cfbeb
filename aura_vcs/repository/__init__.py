"""One project, opened: the parts put together."""
