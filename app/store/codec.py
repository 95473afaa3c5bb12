"""Bars, instruments, fills and claims as JSON text and back; forms.py says how such texts are made."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from app.domain.bar import Bar
from app.domain.fills import Fill, FillWarning
from app.domain.instrument import Instrument
from app.engine.ports import Claim
from app.store import older_forms
from app.store.forms import array, array_from, dumps, is_array, loads, number, seconds, text, time_from


def bar_text(bar: Bar) -> str:
    return array(
        seconds(bar.open_time),
        seconds(bar.close_time),
        str(bar.open),
        str(bar.high),
        str(bar.low),
        str(bar.close),
        str(bar.volume),
        text(bar.notional),
        bar.trades,
        int(bar.synthetic),
    )


def bar_from(line: str) -> Bar:
    if not is_array(line):
        return older_forms.bar_from(line)
    opens, closes, opened, high, low, close, volume, notional, trades, synthetic, *_ = array_from(line)
    return Bar(
        open_time=time_from(opens),
        close_time=time_from(closes),
        open=Decimal(opened),
        high=Decimal(high),
        low=Decimal(low),
        close=Decimal(close),
        volume=Decimal(volume),
        notional=number(notional),
        trades=trades,
        synthetic=bool(synthetic),
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
        | ({"busted": True} if fill.busted else {})
        | ({"original": fill_text(fill.original)} if fill.original else {})
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
        busted=value.get("busted", False),
        original=fill_from(value["original"]) if "original" in value else None,
    )


def claim_text(claim: Claim) -> str:
    refused = {"refused": True} if claim.refused else {}
    return dumps({"instrument": claim.instrument, "digest": claim.digest} | refused)


def claim_from(line: str) -> Claim:
    value = loads(line)
    return Claim(value["instrument"], value["digest"], refused=value.get("refused", False))
