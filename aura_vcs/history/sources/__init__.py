"""Where content is read from: a version, the folder, memory."""
