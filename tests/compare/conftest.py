"""Settings of the generated tests of this folder."""

from hypothesis import settings

# Machines that run several jobs at once are slow at times; slowness has tests of its own. The
# slow tests run the most telling properties with many more examples.
settings.register_profile("unhurried", deadline=None, max_examples=60)
settings.load_profile("unhurried")
