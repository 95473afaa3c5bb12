"""Baselines by name."""

from __future__ import annotations

from collections.abc import Callable

from app.domain.errors import InvalidInput
from app.engine.policy import Policy
from app.policies.linear_volume import LinearVolume
from app.policies.optimal_stopping import OptimalStopping
from app.policies.twap import Twap
from app.policies.volume_aware_stopping import VolumeAwareStopping
from app.policies.volume_curve import VolumeCurve

BASELINES: dict[str, Callable[[], Policy]] = {
    "twap": Twap,
    "volume_curve": VolumeCurve,
    "linear_volume": LinearVolume,
    "optimal_stopping": OptimalStopping,
    "volume_aware_stopping": VolumeAwareStopping,
}


def baseline(name: str) -> Policy:
    """A baseline by its name. Raises InvalidInput where there is none of that name."""
    if name not in BASELINES:
        raise InvalidInput("unknown_policy", f"{name!r} is not a baseline; there are {', '.join(sorted(BASELINES))}")
    return BASELINES[name]()
