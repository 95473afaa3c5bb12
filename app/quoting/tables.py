"""A quote as tables for people."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Console
from rich.table import Table

from app.api.quotes.bodies import QuoteOut

PROBABILITY_MIN = Decimal("0.005")


def show(answer: QuoteOut, console: Console) -> None:
    """Print the answer: gains, ends, costs, the steps, and what it rests on."""
    console.print(_gains(answer))
    console.print(_facts(answer))
    console.print(_steps(answer))
    if answer.warnings:
        console.print("[bold]less sure than it looks:[/bold] " + ", ".join(answer.warnings))


def _gains(answer: QuoteOut) -> Table:
    title = f"{answer.side} {answer.instrument} against {answer.benchmark}: gain before costs, positive is a gain"
    table = Table(title=title, title_justify="left")
    for name in ("", "mean", "std", "P5", "P50", "P95"):
        table.add_column(name, justify="right")
    bps, money = answer.gain_bps, answer.gain_notional
    table.add_row("bps", *(f"{each:.2f}" for each in (bps.mean, bps.std, bps.p5, bps.p50, bps.p95)))
    table.add_row("money", *(f"{each:,.2f}" for each in (money.mean, money.std, money.p5, money.p50, money.p95)))
    return table


def _facts(answer: QuoteOut) -> Table:
    table = Table(show_header=False)
    cost, rests = answer.cost, answer.rests_on
    impact = "unknown" if cost.impact_bps is None else f"{cost.impact_bps:.2f}"
    parts = f"half spread {cost.half_spread_bps:.2f}, impact {impact}"
    table.add_row(
        "pace and stop, convexity", f"{answer.pace_and_stop_gain_bps:.2f}, {answer.convexity_gain_bps:.2f} bps"
    )
    table.add_row("cost", f"{cost.total_bps:.2f} bps ({cost.total_notional:,.2f}): {parts}")
    table.add_row("gain less cost", f"{answer.net_gain_bps:.2f} bps")
    for name, end in (
        ("earliest end", answer.earliest_end),
        ("expected end", answer.expected_end),
        ("latest end", answer.latest_end),
    ):
        table.add_row(name, f"step {end.step:f}, {end.time.isoformat()}")
    if answer.participation is not None:
        shares = answer.participation
        table.add_row(
            "participation", f"{shares.mean:.2%} in the mean, {shares.busiest_slice:.2%} in the busiest slice"
        )
    table.add_row("traded by the end", f"{answer.filled_fraction:.1%}")
    table.add_row("volatility", f"{rests.volatility_bps:.2f} bps a step, of {rests.volatility_bars} bars")
    table.add_row("rests on", _grounds(answer))
    return table


def _grounds(answer: QuoteOut) -> str:
    rests, on = answer.rests_on, answer.rests_on.calibrated_on
    if on is None:
        return f"{rests.continuations} simulated walks of {rests.model}, as of {rests.as_of.isoformat()}"
    return (
        f"{on.orders:,} orders of {rests.model} on {on.market} ({on.bar_seconds} s), "
        f"{on.start.date()} to {on.end.date()}, as of {rests.as_of.isoformat()}"
    )


def _steps(answer: QuoteOut) -> Table:
    table = Table(title="ends and pace, by step (steps without either are left out)", title_justify="left")
    for name in ("step", "window ends", "ends", "ended by", "trades"):
        table.add_column(name, justify="right")
    for step in answer.steps:
        if max(step.end_probability, step.fraction) >= PROBABILITY_MIN:
            shares = (f"{share:.1%}" for share in (step.end_probability, step.ended_by_probability, step.fraction))
            table.add_row(str(step.step), step.window.end.isoformat(), *shares)
    return table
