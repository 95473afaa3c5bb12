"""Slices and schedules over HTTP."""
