"""Agents: the server that they speak to."""
