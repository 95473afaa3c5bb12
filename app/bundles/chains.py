"""A bundle and what stands in for it, as one chain."""

from __future__ import annotations

from app.bundles.bundle import LemPolicy
from app.decision.chain import PolicyChain
from app.decision.policies.twap import Twap
from app.decision.policies.volume_curve import VolumeCurve


def chain_of(policy: LemPolicy) -> PolicyChain:
    """The bundle decides; where it cannot, the volume curve, else TWAP."""
    return PolicyChain(policy, fallbacks=(VolumeCurve(), Twap()), calibration=policy.calibration, prompt=policy.prompt)
