"""Stage "append": bars that are checked become durable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from app.domain.bar import Bar
from app.engine.instruments.live import LiveInstrument
from app.engine.ports import Metrics, Store
from app.engine.tasks import together

APPEND_BARS_MAX = 500
APPENDS_AT_ONCE = 64
"""Instruments; the store sends what is asked for at the same time in one round trip."""


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
    """Append each instrument's bars behind its newest one, all instruments at the same time. Raises Outrun where
    another process has come first on one of them: the bars of the others are appended then."""
    appended = await together((_appended(store, live[symbol], new) for symbol, new in bars.items()), APPENDS_AT_ONCE)
    for (symbol, new), done in zip(bars.items(), appended, strict=True):
        if done:
            synthetic = sum(bar.synthetic for bar in new)
            metrics.bar_ingested(symbol, len(new) - synthetic)
            if synthetic:
                metrics.gap_filled(symbol, synthetic)
    if not all(appended):
        raise Outrun


async def _appended(store: Store, live: LiveInstrument, new: Sequence[Bar]) -> bool:
    newest = live.newest
    return await store.append_bars(live.symbol, new, newest.open_time if newest else None, live.instrument.revision)
