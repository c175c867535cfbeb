"""Version control for video projects."""
