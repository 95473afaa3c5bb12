"""Stage "append": bars that are checked become durable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from app.domain.bar import Bar
from app.engine.instruments.live import LiveInstrument
from app.engine.ports import Metrics, Store

APPEND_BARS_MAX = 500


class Outrun(Exception):
    """Another process has appended bars of the instrument."""


def rounds(bars: Mapping[str, Sequence[Bar]]) -> Iterator[dict[str, Sequence[Bar]]]:
    """The bars of all instruments, at most `APPEND_BARS_MAX` of each at a time."""
    longest = max(map(len, bars.values()), default=0)
    for first in range(0, longest, APPEND_BARS_MAX):
        yield {symbol: every[first : first + APPEND_BARS_MAX] for symbol, every in bars.items() if first < len(every)}


async def append(
    store: Store, metrics: Metrics, live: Mapping[str, LiveInstrument], bars: Mapping[str, Sequence[Bar]]
) -> None:
    """Append each instrument's bars behind its newest one. Raises Outrun, and appends nothing more, where another
    process has come first."""
    for symbol, new in bars.items():
        newest = live[symbol].newest
        revision = live[symbol].instrument.revision
        if not await store.append_bars(symbol, new, newest.open_time if newest else None, revision):
            raise Outrun
        synthetic = sum(bar.synthetic for bar in new)
        metrics.bar_ingested(symbol, len(new) - synthetic)
        if synthetic:
            metrics.gap_filled(symbol, synthetic)
