"""What a terminal or a script is shown: console, escaping, progress bar, sizes and times in words, JSON."""
