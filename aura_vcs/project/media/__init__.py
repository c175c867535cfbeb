"""What project files of editors name: media in the project, outside of it, and nowhere."""
