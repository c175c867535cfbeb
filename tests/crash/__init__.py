"""What a stopped process, a full disk and a cut cable leave behind."""
