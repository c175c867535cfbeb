"""What was found in media files by looking at every frame and sample once, on this machine."""
