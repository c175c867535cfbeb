"""What the headers of media files say."""
