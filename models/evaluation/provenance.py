"""What a reader needs to measure the same again: model, markets, settings, date, commit."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from app.decision.policy import Policy
from models.evaluation.evaluation_plan import EvaluationPlan


def provenance(policy: Policy, plan: EvaluationPlan) -> dict[str, str]:
    """The facts by their names. Without a git checkout around this code there is no commit."""
    markets = "; ".join(
        f"{name} from {market.start or 'the first bar'} to before {market.end or 'the last bar'}"
        for name, market in plan.markets.items()
    )
    facts = {
        "model": policy.name,
        "markets": markets or "random walks only",
        "max_steps": _lengths(plan),
        "costs, where charged": (
            f"half spread {plan.costs.half_spread_bps:g} bps, impact {plan.costs.impact:g} x volatility per bar x "
            "(slice / bar's volume)^0.5"
        ),
        "bootstrap": f"{plan.resamples} resamples, seed {plan.seed}",
        "measured": datetime.now(UTC).date().isoformat(),
    }
    commit = _commit()
    return facts | ({"commit": commit} if commit else {})


def _lengths(plan: EvaluationPlan) -> str:
    """All max_steps of the plan."""
    steps = {horizon.max_steps for market in plan.markets.values() for horizon in plan.horizons_of(market)}
    if plan.walk:
        steps |= {horizon.max_steps for horizon in plan.walk.horizons} or {plan.max_steps}
    return ", ".join(map(str, sorted(steps or {plan.max_steps})))


def _commit() -> str | None:
    """The commit of the checkout that this code lies in, where there is one."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]  # git may not be there
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()  # noqa: S603 - no input of anybody's is in it
    except (OSError, subprocess.SubprocessError):
        return None
