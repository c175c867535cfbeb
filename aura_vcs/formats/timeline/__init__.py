"""Timelines of the studio and of OpenTimelineIO in one model."""
