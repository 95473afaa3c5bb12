"""Find what is wrong with bars.

A fault must be mended before anything is computed from the bars: `app.bars.reader` or the gap rules refuse the file. A
warning is about bars that the project accepts, by rules that the user should know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.bars.series import Vector
from models.data.column_names import NUMBERS
from models.data.raw import RawBars
from models.data.wording import utc

PRICES = NUMBERS[:4]
NOTIONAL_SLACK = 1e-4
"""How far a bar's VWAP may lie outside low..high without a warning: 1 bp. Sources round their notional."""

PRICE_RATIO_MAX = 10.0
"""From one bar's close to the next one's open no market moves so far. Splits do, and rows of another instrument."""

CORRECT = "correct them or take them out"

MENDABLE = ("out_of_order", "duplicate_times")
"""Faults that `lem data convert` mends without loss: rows are sorted, repeated rows dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`code` is stable and meant for programs, `text` is for people; `row` is the first of `count` rows of the file,
    from 0."""

    code: str
    count: int
    row: int
    text: str


def faults(raw: RawBars) -> list[Finding]:
    return [*_faults_of_time(raw), *_faults_of_numbers(raw), *_impossible(raw)]


def warnings(raw: RawBars) -> list[Finding]:
    """The warnings about bars that have no faults."""
    volume, low, high = (raw.columns[name] for name in ("volume", "low", "high"))
    found = [*_found(raw, "no_volume", volume == 0.0, "have no volume: the price is (high + low + close) / 3")]
    vwap = _vwap(raw)
    if vwap is None:
        return found
    used = "(high + low + close) / 3 is used"
    found += _found(raw, "no_notional", np.isnan(vwap) & (volume > 0.0), f"have volume but no notional: {used}")
    outside = (vwap < low * (1.0 - NOTIONAL_SLACK)) | (vwap > high * (1.0 + NOTIONAL_SLACK))
    found += _found(raw, "notional_outside", outside, f"have a notional outside low..high x volume: {used}")
    return found


def _vwap(raw: RawBars) -> Vector | None:
    """[T]: the VWAP, NaN in a bar without one; None where the file has neither notional nor VWAP."""
    volume, notional = raw.columns["volume"], raw.columns.get("notional")
    if notional is None:
        return raw.columns.get("vwap")
    vwap: Vector = np.divide(notional, volume, out=np.full(len(raw), np.nan), where=volume > 0.0)
    return vwap


def _faults_of_time(raw: RawBars) -> Iterator[Finding]:
    step = np.diff(raw.open_time, prepend=raw.open_time[:1] - 1)
    yield from _found(raw, "out_of_order", step < 0, "are older than the row before", "lem data convert sorts them")
    order = np.argsort(raw.open_time, kind="stable")
    sorted_rows = raw.pick(order)
    repeats, differs = repeated(sorted_rows)
    for code, bad, text, advice in (
        ("duplicate_times", repeats & ~differs, "repeat another row", "lem data convert drops them"),
        ("conflicting_times", differs, "have the time of another row and say otherwise", "keep the right ones"),
    ):
        in_file_order = np.zeros(len(raw), dtype=np.bool_)
        in_file_order[order] = bad
        yield from _found(raw, code, in_file_order, text, advice)


def repeated(raw: RawBars) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of rows sorted by time: which have the time of the row before, and which of these differ from that row."""
    same = np.diff(raw.open_time, prepend=raw.open_time[:1] - 1) == 0
    differs = np.zeros(len(raw), dtype=np.bool_)
    for values in raw.columns.values():
        before = np.concatenate([values[:1], values[:-1]])
        differs |= same & (values != before) & ~(np.isnan(values) & np.isnan(before))
    return same, differs


def leaps(raw: RawBars) -> NDArray[np.bool_]:
    """Of rows sorted by time: which open further from the close before than a market moves."""
    close, opens = raw.columns["close"][:-1], raw.columns["open"][1:]
    leap: NDArray[np.bool_] = (opens > close * PRICE_RATIO_MAX) | (close > opens * PRICE_RATIO_MAX)
    return np.concatenate([np.zeros(min(1, len(raw)), dtype=np.bool_), leap])


def _faults_of_numbers(raw: RawBars) -> Iterator[Finding]:
    for name, values in raw.columns.items():
        required = name in NUMBERS
        if required:
            yield from _found(raw, "not_a_number", np.isnan(values), f"have no {name}", CORRECT)
        yield from _found(raw, "infinite", np.isinf(values), f"have an infinite {name}", CORRECT)
        yield from _found(raw, "negative", values < 0.0, f"have a negative {name}", CORRECT)


def _impossible(raw: RawBars) -> Iterator[Finding]:
    prices = np.stack([raw.columns[name] for name in PRICES])
    low, high = raw.columns["low"], raw.columns["high"]
    yield from _found(raw, "high_below_low", high < low, "have high below low", CORRECT)
    outside = ((prices < low) | (prices > high)).any(axis=0) & (low <= high)
    yield from _found(raw, "price_outside_range", outside, "have open or close outside low..high", CORRECT)
    yield from _found(raw, "price_not_above_zero", (prices == 0.0).any(axis=0), "have a price of 0", CORRECT)


def _found(raw: RawBars, code: str, bad: NDArray[np.bool_], text: str, advice: str = "") -> Iterator[Finding]:
    if bad.any():
        yield at_rows(raw, code, bad, text, advice)


def at_rows(raw: RawBars, code: str, bad: NDArray[np.bool_], text: str, advice: str = "") -> Finding:
    """The finding about the rows that are `bad` [T], of which there is at least one, with the first one's time."""
    row, count = int(np.argmax(bad)), int(bad.sum())
    said = f"{count} of {len(raw)} rows {text}; first {raw.places.at(row)} ({utc(int(raw.open_time[row]))})"
    return Finding(code=code, count=count, row=int(raw.places.row[row]), text=f"{said}: {advice}" if advice else said)
