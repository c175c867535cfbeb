"""The documents of a video project: what they say, whether it holds together, how it is rendered."""
