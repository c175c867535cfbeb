"""Scenes of the film."""
