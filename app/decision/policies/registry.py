"""Baselines by name."""

from __future__ import annotations

from collections.abc import Callable

from app.decision.policies.linear_volume import LinearVolume
from app.decision.policies.optimal_stopping import OptimalStopping
from app.decision.policies.twap import Twap
from app.decision.policies.volume_aware_stopping import VolumeAwareStopping
from app.decision.policies.volume_curve import VolumeCurve
from app.decision.policy import Policy
from app.domain.errors import InvalidInput

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
