"""Settings of the generated tests of this folder."""

from hypothesis import settings

# Machines that run several jobs at once are slow at times; slowness has tests of its own.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
