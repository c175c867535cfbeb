"""The projection that may vanish at any time."""
