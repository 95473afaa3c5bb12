"""What stands at the top of a report: which model, which bars, which orders, and by which version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from app import __version__
from app.backtest.comparison import RESAMPLES, SEED
from app.backtest.job import LEM, Job
from app.backtest.paired_orders import PairedOrders, start_seconds
from app.backtest.setup import Setup, Starts
from app.decision.policy import Policy

FILES_NAMED = 12


def report_facts(
    paths: Sequence[Path], job: Job, policies: Mapping[str, Policy], orders: PairedOrders
) -> dict[str, str]:
    """The facts by their names, as a reader needs them to measure the same again."""
    facts = {"model": policies[LEM].name} if LEM in policies else {}
    return facts | {
        "policies": ", ".join(policies),
        "bars": _files(paths) + (f", steps of {job.step_seconds:,} s" if job.step_seconds else ""),
        "starts": f"{_span(orders)}, {_every(job.setup)}",
        "orders": _orders(job.setup),
        "costs": _costs(job.setup),
        "intervals": f"{RESAMPLES:,} resamples, seed {SEED}",
        "measured": f"{datetime.now(UTC).date().isoformat()} by version {__version__}",
    }


def _files(paths: Sequence[Path]) -> str:
    named = ", ".join(path.name for path in paths[:FILES_NAMED])
    return named if len(paths) <= FILES_NAMED else f"{named} and {len(paths) - FILES_NAMED} files more"


def _span(orders: PairedOrders) -> str:
    starts = start_seconds(next(iter(orders.tables.values())))
    if not len(starts):
        return "none"
    first, last = (datetime.fromtimestamp(int(each), UTC) for each in (starts.min(), starts.max()))
    return f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"


def _every(setup: Setup) -> str:
    return f"every {setup.every} {'sessions, at the open' if setup.starts is Starts.OPEN else 'bars'}"


def _orders(setup: Setup) -> str:
    steps = ", ".join(map(str, setup.min_steps))
    return (
        f"min_steps {steps}, max_steps {setup.max_steps}, risk aversion {setup.risk_aversion:g} of the model, slices "
        f"of at most {setup.max_slice_fraction:f} of the order; size {setup.order_share:g} of the volume expected"
    )


def _costs(setup: Setup) -> str:
    costs = setup.costs
    if not costs.impact and not costs.half_spread_bps:
        return "none: trading is free"
    return (
        f"half spread {costs.half_spread_bps:g} bps, impact {costs.impact:g} x volatility per bar x "
        "(slice / bar's volume)^0.5"
    )
