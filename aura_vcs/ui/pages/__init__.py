"""What each view of the page shows."""
