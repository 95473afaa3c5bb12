"""Faults that a service under test can have, to see that the matrix finds them."""

from __future__ import annotations

from enum import StrEnum

from app.domain.fills import Fill
from app.engine.fills import FillReports
from app.engine.instruments.live import LiveInstrument
from app.engine.recovery import Recovery


class Fault(StrEnum):
    NO_RECOVERY = "bars that were stored before a crash move no order after it"
    NO_MEMORY = "a fill that is reported again is booked again"


def plant(fault: Fault) -> None:
    """From now on this process has the fault."""
    if fault is Fault.NO_RECOVERY:
        Recovery._replay = _only_bars  # type: ignore[assignment,method-assign]
    else:
        FillReports._known = _nothing_known  # type: ignore[assignment,method-assign]


async def _only_bars(recovery: Recovery, live: LiveInstrument) -> None:
    for bar in await recovery._store.bars_before(live.symbol, None, 1):
        live.push(bar)
        await recovery._loader.ensure_histories(live, [])


async def _nothing_known(_: FillReports, __: str, ___: Fill) -> None:
    return None
