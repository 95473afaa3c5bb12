"""Values as JSON text and back: decimals as strings, times RFC 3339, `v` the version of the form.

A form only grows: what is added gets a default when it is read, and `v` counts up when an old reader must not go on.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.domain.bar import Bar
from app.domain.fills import Fill, FillWarning
from app.domain.instrument import Instrument
from app.engine.ports import Claim

VERSION = 1


def dumps(value: dict[str, Any], version: int = VERSION) -> str:
    return json.dumps({"v": version, **value}, separators=(",", ":"), ensure_ascii=False)


def loads(text: str, version: int = VERSION) -> dict[str, Any]:
    """Raises ValueError for a form that this release does not know."""
    value: dict[str, Any] = json.loads(text)
    found = value.pop("v", None)
    if found != version:
        raise ValueError(f"a value in the store has form {found}; this release reads {version}")
    return value


def text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def number(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def bar_text(bar: Bar) -> str:
    return dumps(
        {
            "open_time": bar.open_time.isoformat(),
            "close_time": bar.close_time.isoformat(),
            "prices": [str(price) for price in (bar.open, bar.high, bar.low, bar.close)],
            "volume": str(bar.volume),
            "notional": text(bar.notional),
            "trades": bar.trades,
            "synthetic": bar.synthetic,
        }
    )


def bar_from(line: str) -> Bar:
    value = loads(line)
    opened, high, low, close = (Decimal(price) for price in value["prices"])
    return Bar(
        open_time=datetime.fromisoformat(value["open_time"]),
        close_time=datetime.fromisoformat(value["close_time"]),
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=Decimal(value["volume"]),
        notional=number(value["notional"]),
        trades=value["trades"],
        synthetic=value["synthetic"],
    )


def instrument_text(instrument: Instrument) -> str:
    """The grace and the maximum of an order are none of the terms: what is accepted stands on neither."""
    own = {"grace_seconds": instrument.grace_seconds, "max_order_notional": text(instrument.max_order_notional)}
    return dumps({"symbol": instrument.symbol, **_terms(instrument), **_windows(instrument), **own})


def terms_text(instrument: Instrument) -> str:
    """What must not change under live orders."""
    return dumps({**_terms(instrument), **_windows(instrument)})


def windows_text(instrument: Instrument) -> str:
    """What makes bars comparable with earlier ones."""
    return dumps(_windows(instrument))


def instrument_from(line: str, revision: str | None = None) -> Instrument:
    """`revision` as recorded beside the text; None where it is from a release before."""
    value = loads(line)
    return Instrument(
        symbol=value["symbol"],
        bar_seconds=value["bar_seconds"],
        calendar=value["calendar"],
        grace_seconds=value.get("grace_seconds"),
        max_order_notional=number(value.get("max_order_notional")),
        revision=int(revision or 0),
        **{name: Decimal(value[name]) for name in ("lot_size", "tick_size", "min_notional", "notional_step")},
    )


def _terms(instrument: Instrument) -> dict[str, Any]:
    """Normalised, so that 0.10 and 0.1 are the same terms."""
    names = ("lot_size", "tick_size", "min_notional", "notional_step")
    return {name: f"{getattr(instrument, name).normalize():f}" for name in names}


def _windows(instrument: Instrument) -> dict[str, Any]:
    return {"bar_seconds": instrument.bar_seconds, "calendar": instrument.calendar}


def fill_text(fill: Fill) -> str:
    return dumps(
        {
            "execution_id": fill.execution_id,
            "slice_id": fill.slice_id,
            "quantity": str(fill.quantity),
            "price": str(fill.price),
            "executed_at": fill.executed_at.isoformat(),
            "warnings": fill.warnings,
        }
    )


def fill_from(line: str) -> Fill:
    value = loads(line)
    return Fill(
        execution_id=value["execution_id"],
        slice_id=value["slice_id"],
        quantity=Decimal(value["quantity"]),
        price=Decimal(value["price"]),
        executed_at=datetime.fromisoformat(value["executed_at"]),
        warnings=tuple(map(FillWarning, value.get("warnings", ()))),
    )


def claim_text(claim: Claim) -> str:
    refused = {"refused": True} if claim.refused else {}
    return dumps({"instrument": claim.instrument, "digest": claim.digest} | refused)


def claim_from(line: str) -> Claim:
    value = loads(line)
    return Claim(value["instrument"], value["digest"], refused=value.get("refused", False))
