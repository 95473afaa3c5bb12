"""The command line of `lem quote`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console

from app.api.quotes.bodies import QuoteIn, QuoteOut
from app.bars.series import Series
from app.bundles.shipped import SHIPPED_BUNDLE
from app.domain.durations import DAY_SECONDS
from app.domain.errors import LemError
from app.domain.instrument import Instrument
from app.domain.order import Benchmark, Side
from app.main import CannotStart, services
from app.metrics import ServiceMetrics
from app.quoting.bar_file import feed, instrument_of, newest_bars
from app.quoting.tables import show
from app.settings import ClockKind, Settings
from app.terminal import refuse, refusing

TIME_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
WIDTH_MIN = 100


def quote(
    bars: Annotated[Path, typer.Option(help="Bar file (Parquet) of the instrument.")],
    side: Annotated[Side, typer.Option(help="Side of the order.")],
    min_steps: Annotated[int, typer.Option(help="Earliest end in steps.")],
    max_steps: Annotated[int, typer.Option(help="Latest end in steps.")],
    quantity: Annotated[str | None, typer.Option(help="Size in base units; or give --notional.")] = None,
    notional: Annotated[str | None, typer.Option(help="Size in quote currency; or give --quantity.")] = None,
    benchmark: Annotated[Benchmark, typer.Option(help="Benchmark of the order.")] = Benchmark.VWAP,
    step_seconds: Annotated[
        int | None, typer.Option(metavar="S", help="Length of a step in seconds.", show_default="that of the bars")
    ] = None,
    max_slice_fraction: Annotated[str | None, typer.Option(help="Largest slice as a share of the order.")] = None,
    max_participation_rate: Annotated[str | None, typer.Option(help="Largest slice as a share of the volume.")] = None,
    limit_price: Annotated[str | None, typer.Option(help="No slice trades beyond it.")] = None,
    risk_aversion: Annotated[
        str | None,
        typer.Option(metavar="X", help="A number, or neutral, default or tracking.", show_default="the bundle's"),
    ] = None,
    half_spread_bps: Annotated[str, typer.Option(metavar="BPS", help="Half the spread of the market.")] = "0",
    impact: Annotated[str, typer.Option(metavar="K", help="Factor of the square-root impact.")] = "1",
    calendar: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Calendar of the exchange, such as XNYS.", show_default="round the clock"),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=TIME_FORMATS, help="As of then, UTC: later bars are not read.")
    ] = None,
    bundle: Annotated[Path, typer.Option(help="Folder of the model.", show_default="shipped")] = SHIPPED_BUNDLE,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer of POST /v1/quotes as it is.")] = False,
) -> None:
    """Say what an order may earn and cost, and when it may end, were it sent after the last bar of a file.

    The answer is that of the service, which runs for it with these bars. Gains are positive where the order does better
    than its benchmark, costs are positive.
    """
    limits = {
        "max_slice_fraction": max_slice_fraction,
        "max_participation_rate": max_participation_rate,
        "limit_price": limit_price,
    }
    with refusing("lem quote", LemError, CannotStart, OSError):
        series = newest_bars(bars, until.replace(tzinfo=UTC) if until else None)
        instrument = instrument_of(series, calendar)
        asked = _body(
            instrument=instrument.symbol,
            side=side.value,
            quantity=quantity,
            notional=notional,
            benchmark=benchmark.value,
            horizon={"min_steps": min_steps, "max_steps": max_steps, "step_seconds": step_seconds},
            limits=limits,
            risk_aversion=risk_aversion,
            costs={"half_spread_bps": half_spread_bps, "impact": impact},
        )
        with TemporaryDirectory(prefix="lem-quote-") as folder:
            settings = Settings(redis_url=None, bundle=bundle, data_dir=Path(folder), clock=ClockKind.BARS)
            answer = asyncio.run(_answer(settings, series, instrument, asked))
    if as_json:
        typer.echo(answer.model_dump_json(indent=2))
    else:
        show(answer, Console(width=max(WIDTH_MIN, Console().width)))


def _body(**fields: Any) -> QuoteIn:
    """The body of the call; refuses as the service does."""
    try:
        return QuoteIn.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        field = "_".join(str(part) for part in first["loc"])
        refuse("lem quote", f"{field}: {first['msg']}" if field else first["msg"])


async def _answer(settings: Settings, series: Series, instrument: Instrument, asked: QuoteIn) -> QuoteOut:
    async with services(settings, ServiceMetrics()) as parts:
        step_seconds = asked.horizon.step_seconds or series.bar_seconds
        bars_per_step = max(1, min(step_seconds, DAY_SECONDS) // series.bar_seconds)
        await feed(parts.engine, series, instrument, (parts.engine.lookback + 1) * bars_per_step)
        costs = asked.costs
        quoted = await parts.engine.quotes.quote(
            asked.to_domain(), half_spread_bps=costs.half_spread_bps, impact=costs.impact
        )
        return QuoteOut.of(quoted)
