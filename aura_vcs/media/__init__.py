"""What is in media: pictures, sound and video, decoded in a process of its own."""
