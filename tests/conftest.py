"""What holds for every test."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A busy machine is no failure: how long an example takes says nothing about what it proves.
settings.register_profile("lem", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lem")
