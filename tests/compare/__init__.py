"""Tests of comparing and merging."""
