"""`lem backtest` and `lem simulate`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from app.backtest.job import LEM, Job, load_policy, risk_aversion_of
from app.backtest.options import decimal, seconds, whole_numbers, words
from app.backtest.run_files import run_files
from app.backtest.setup import ORDER_SHARE, Setup, Starts
from app.bars.bar_files import bar_files
from app.bars.walks import Walk, simulate_bars, write_bars
from app.bundles.errors import BundleError
from app.bundles.shipped import SHIPPED_BUNDLE
from app.decision.policies.registry import BASELINES
from app.domain.costs import Costs
from app.domain.errors import LemError
from app.domain.order import Benchmark, Scenario, Side, SizeMode
from app.terminal import refusing

DATE_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


class PolicyName(StrEnum):
    LEM = "lem"
    TWAP = "twap"
    VOLUME_CURVE = "volume_curve"
    OPTIMAL_STOPPING = "optimal_stopping"
    LINEAR_VOLUME = "linear_volume"
    VOLUME_AWARE_STOPPING = "volume_aware_stopping"
    ALL = "all"

    @property
    def names(self) -> tuple[str, ...]:
        """The policies that are asked for, the model first."""
        return (LEM, *BASELINES) if self is PolicyName.ALL else (self.value,)


def backtest(
    out: Annotated[Path, typer.Option(help="Folder for orders.parquet, summary.csv and report.html.")],
    bars: Annotated[
        list[Path], typer.Option(metavar="PATH...", help="Bar files (Parquet), or folders of them; more may follow.")
    ],
    more: Annotated[list[Path] | None, typer.Argument(hidden=True)] = None,
    bundle: Annotated[
        Path, typer.Option(help="Folder of the model for the policy lem.", show_default="shipped")
    ] = SHIPPED_BUNDLE,
    policy: Annotated[
        PolicyName, typer.Option(help="The policy that decides, or all of them on the same orders.")
    ] = PolicyName.LEM,
    min_steps: Annotated[str, typer.Option(help="Earliest ends in steps, one order for each.")] = "1,6,9,11,12",
    max_steps: Annotated[int, typer.Option(min=1, help="Latest end in steps.")] = 12,
    max_slice_fraction: Annotated[str, typer.Option(help="Largest slice as a share of the order.")] = "1.0",
    risk_aversion: Annotated[
        str | None,
        typer.Option(metavar="X", help="A number, or neutral, default or tracking.", show_default="the bundle's"),
    ] = None,
    starts: Annotated[
        Starts, typer.Option(help="Start orders at bars all over the day, or at the open of every session.")
    ] = Starts.BARS,
    every: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="K",
            help="Bars from one start to the next, or sessions where orders start at the open.",
            show_default="max_steps, or 1 session",
        ),
    ] = None,
    step_seconds: Annotated[
        int | None,
        typer.Option(min=1, metavar="S", help="Length of a step in seconds.", show_default="that of the bars"),
    ] = None,
    sides: Annotated[str, typer.Option(help="Sides of the orders.")] = "buy,sell",
    benchmarks: Annotated[str, typer.Option(help="Benchmarks of the orders.")] = "vwap,twap",
    size_modes: Annotated[str, typer.Option(help="What the orders fix.")] = "quantity,notional",
    order_size: Annotated[
        float, typer.Option(metavar="SHARE", help="Size of an order as a share of the volume expected in its horizon.")
    ] = ORDER_SHARE,
    impact: Annotated[
        float, typer.Option(metavar="K", help="Factor of the square-root impact, near 1 in markets.")
    ] = 0.0,
    half_spread_bps: Annotated[float, typer.Option(metavar="BPS", help="Half the spread, paid by every unit.")] = 0.0,
    start: Annotated[
        datetime | None, typer.Option(formats=DATE_FORMATS, help="Orders start at or after this time, UTC.")
    ] = None,
    end: Annotated[
        datetime | None, typer.Option(formats=DATE_FORMATS, help="Orders start before this time, UTC.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Number of processes; each runs a file at a time.")] = 1,
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Run on a Ray cluster, HOST:PORT or auto; --jobs is not asked then."),
    ] = None,
) -> None:
    """Run orders over bar files with the service's own decisions. Slippage is positive where it is a cost.

    Orders start at the same bars whatever the policy, and --policy all compares all policies on them, order by order:
    one table, plots and report.html. Orders on bars that trained or chose the model are told apart. By default orders
    are too small to move the market, and trading is free. With costs, a unit pays the half spread and K times the
    volatility per bar times the square root of its slice over the bar's volume. In bars round the clock, gaps are
    filled as in the service, and no order runs over a filled bar; the nights and holidays of an exchange are no gaps,
    and no order runs over a longer hole. Steps longer than the bars are cut where an exchange's session or a part of it
    ends. An order that starts at the open ends with its session at the latest: on half a day it has as many steps as
    the session has bars.
    """
    with refusing("lem backtest", LemError, BundleError, OSError):
        policies = {name: load_policy(name, bundle) for name in policy.names}
        scenarios = tuple(
            Scenario(side, benchmark, size_mode)
            for side in words("sides", sides, Side)
            for benchmark in words("benchmarks", benchmarks, Benchmark)
            for size_mode in words("size-modes", size_modes, SizeMode)
        )
        setup = Setup(
            min_steps=whole_numbers("min-steps", min_steps),
            max_steps=max_steps,
            every=every or (1 if starts is Starts.OPEN else max_steps),
            risk_aversion=0.0,
            scenarios=scenarios,
            max_slice_fraction=decimal("max-slice-fraction", max_slice_fraction),
            order_share=order_size,
            costs=Costs(impact=impact, half_spread_bps=half_spread_bps),
            start=seconds(start),
            end=seconds(end),
            starts=starts,
        )
        run_files(
            bar_files([*bars, *(more or [])]),
            [
                Job(
                    policy=name,
                    bundle=bundle,
                    setup=replace(setup, risk_aversion=risk_aversion_of(each, risk_aversion)),
                    step_seconds=step_seconds,
                )
                for name, each in policies.items()
            ],
            policies,
            out,
            jobs,
            ray,
        )


def simulate(
    out: Annotated[Path, typer.Option(help="Folder of the bar files.")],
    instruments: Annotated[int, typer.Option(min=1, help="Number of independent walks.")] = 4,
    count: Annotated[int, typer.Option("--bars", min=2, help="Number of bars in each.")] = 100_000,
    bar_seconds: Annotated[int, typer.Option(min=1, max=86_400, help="Length of a bar in seconds.")] = 900,
    sigma_bps: Annotated[float, typer.Option(min=0.01, help="Volatility per bar in basis points.")] = 20.0,
    volume_deviation: Annotated[
        float, typer.Option(min=0.0, help="Standard deviation of log volume; 0 for the same volume in every bar.")
    ] = 0.5,
    daily_swing: Annotated[float, typer.Option(min=0.0, max=0.99, help="Daily profile of volume, 0 for none.")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed; the same seed writes the same bars.")] = 0,
) -> None:
    """Write bar files of random walks, on which nothing can be forecast and the best mean gain is known."""
    walk = Walk(
        bar_seconds=bar_seconds, sigma=sigma_bps / 1e4, volume_deviation=volume_deviation, daily_swing=daily_swing
    )
    with refusing("lem simulate", OSError):
        out.mkdir(parents=True, exist_ok=True)
        for number in range(instruments):
            made = simulate_bars(np.random.default_rng([seed, number]), walk, 1, count)
            path = out / f"WALK{number}-{bar_seconds}s.parquet"
            write_bars(path, made, 0, bar_seconds)
            typer.echo(path)
