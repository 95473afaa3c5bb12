"""Baselines behind the same interface as the LEM: yardsticks in research, fallbacks in the service."""
