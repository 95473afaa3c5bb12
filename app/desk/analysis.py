"""`/desk/analysis`: what orders cost, by side, benchmark, model and horizon, and as a file; the figures are those of
`GET /v1/tca`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from app.api.access.callers import account_of
from app.api.analyses.accepted import Format
from app.api.analyses.tables import as_csv, as_parquet
from app.desk.door import turn
from app.desk.pages import HEADERS, page, services_of
from app.desk.spreads import SpreadMark, marks_of
from app.domain.errors import InvalidInput
from app.domain.lifecycle import LIVE, Status
from app.domain.order import HORIZON_STEPS_MAX, Benchmark, Side
from app.engine.analyses import AnalysedOrder, AnalysedOrders, WantedOrders
from app.engine.analysis_totals import DIMENSIONS, NO_MODEL, Totals, by_dimension, totals_of
from app.engine.distribution import Distribution

TEXT_MAX = 160
DEAREST_SHOWN = 50
FEW_ORDERS = 30
"""Of fewer the mean says little: most of it is chance."""
ENDED = tuple(each for each in Status if each not in LIVE)
CHOICES: Mapping[str, tuple[str, ...]] = {
    "status": tuple(each.value for each in ENDED),
    "side": tuple(Side),
    "benchmark": tuple(Benchmark),
}
FREE = ("instrument", "model")
DAYS = ("since", "until")
STEPS = ("min_steps", "max_steps")
EXPORTS = {"csv": (Format.CSV, as_csv), "parquet": (Format.PARQUET, as_parquet)}


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedAnalysis:
    """The filter of the page, by the names of its fields; `min_steps` and `max_steps` come from a link of a horizon."""

    fields: Mapping[str, str]

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> WantedAnalysis:
        """What makes no sense is left out: a page that somebody has kept must not be refused."""
        fields = {name: asked[name][:TEXT_MAX].strip() for name in FREE if asked.get(name, "").strip()}
        fields |= {name: asked[name] for name, known in CHOICES.items() if asked.get(name) in known}
        fields |= {name: asked[name] for name in DAYS if _day(asked.get(name, "")) is not None}
        fields |= {name: asked[name] for name in STEPS if _steps(asked.get(name, "")) is not None}
        return cls(fields=fields)

    def query(self, **changes: str) -> str:
        """As a link says it."""
        return urlencode({name: value for name, value in ({**self.fields, **changes}).items() if value})

    def orders(self, account: str | None) -> WantedOrders:
        """`since` and `until` are days in UTC, both within."""
        fields = self.fields
        since, until = _day(fields.get("since", "")), _day(fields.get("until", ""))
        return WantedOrders(
            status=Status(fields["status"]) if "status" in fields else None,
            instrument=fields.get("instrument"),
            account=account,
            side=Side(fields["side"]) if "side" in fields else None,
            benchmark=Benchmark(fields["benchmark"]) if "benchmark" in fields else None,
            min_steps=_steps(fields.get("min_steps", "")),
            max_steps=_steps(fields.get("max_steps", "")),
            model=fields.get("model"),
            started_from=since,
            started_before=until + timedelta(days=1) if until else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Orders that have one term in common."""

    name: str
    totals: Totals
    mark: SpreadMark | None
    query: str

    @property
    def few(self) -> bool:
        return self.totals.orders < FEW_ORDERS


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisView:
    """`groups` by dimension; `dearest` are the orders with the highest slippage, which live ones have only so far."""

    wanted: WantedAnalysis
    found: AnalysedOrders
    totals: Totals
    mark: SpreadMark | None
    groups: Mapping[str, Sequence[Group]]
    dearest: Sequence[AnalysedOrder]


async def show_analysis(request: Request) -> Response:
    wanted = WantedAnalysis.of(request.query_params)
    values: dict[str, Any] = {"wanted": wanted, "choices": CHOICES, "view": None, "wrong": "", "shown": DEAREST_SHOWN}
    values["symbols"] = await _symbols(request)
    try:
        found = await _found(request, wanted)
    except InvalidInput as error:  # more orders than one answer holds
        return page(request, "analysis.html", title="Analysis", **values | {"wrong": error.detail})
    view = await asyncio.to_thread(_view, wanted, found)
    return page(request, "analysis.html", title="Analysis", **values | {"view": view})


async def export_analysis(request: Request) -> Response:
    """The orders of the page as a file, a row each."""
    wanted = WantedAnalysis.of(request.query_params)
    suffix = "parquet" if request.query_params.get("as") == "parquet" else "csv"
    media_type, table = EXPORTS[suffix]
    found = await _found(request, wanted)
    named = {"Content-Disposition": f'attachment; filename="orders.{suffix}"'}
    left_out = {"X-Left-Out": ",".join(found.left_out)} if found.left_out else {}
    content = await asyncio.to_thread(table, found.orders)
    return Response(content, media_type=media_type, headers={**HEADERS, **named, **left_out})


async def _found(request: Request, wanted: WantedAnalysis) -> AnalysedOrders:
    """Raises InvalidInput("too_many_to_analyse")."""
    async with turn(request):
        return await services_of(request).engine.analyses.of_orders(wanted.orders(account_of(request)))


async def _symbols(request: Request) -> list[str]:
    book = services_of(request).engine.book
    await book.refresh()
    return sorted(book.terms)


def _view(wanted: WantedAnalysis, found: AnalysedOrders) -> AnalysisView:
    parts = {dimension: by_dimension(found.orders, dimension) for dimension in DIMENSIONS}
    whole = totals_of(found.orders)
    marks = iter(
        marks_of([_slippage(each) for each in (whole, *(t for part in parts.values() for t in part.values()))])
    )
    mark = next(marks)
    groups = {
        dimension: [
            Group(name=name, totals=totals, mark=next(marks), query=_narrowed(wanted, dimension, name))
            for name, totals in part.items()
        ]
        for dimension, part in parts.items()
    }
    known = [each for each in found.orders if each.state.slippage_bps is not None]
    dearest = sorted(known, key=lambda each: each.state.slippage_bps or 0, reverse=True)[:DEAREST_SHOWN]
    return AnalysisView(wanted=wanted, found=found, totals=whole, mark=mark, groups=groups, dearest=dearest)


def _slippage(totals: Totals) -> Distribution | None:
    return totals.figures.get("slippage_bps")


def _narrowed(wanted: WantedAnalysis, dimension: str, name: str) -> str:
    """The link to the orders of a group alone; empty for those that no model has decided, for which there is no
    filter."""
    if dimension == "horizon":
        earliest, _, latest, _ = name.split()
        return wanted.query(min_steps=earliest, max_steps=latest)
    return "" if (dimension, name) == ("model", NO_MODEL) else wanted.query(**{dimension: name})


def _steps(text: str) -> int | None:
    known = text.isascii() and text.isdigit() and len(text) <= len(str(HORIZON_STEPS_MAX))
    return int(text) if known and 1 <= int(text) <= HORIZON_STEPS_MAX else None


def _day(text: str) -> datetime | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime(found.year, found.month, found.day, tzinfo=UTC) if 1970 < found.year < 2200 else None  # noqa: PLR2004
