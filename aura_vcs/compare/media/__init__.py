"""Two versions of a film or a sound compared by what the media index has of them: every frame and every sample."""
