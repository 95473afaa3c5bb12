"""The execution-scheduling service: it serves a Large Execution Model and needs no torch."""

__version__ = "0.1.0"
