"""Prepare users' files to be written as bar files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.bars.file_names import bar_file_symbol, symbol_of
from app.bars.reader import bar_seconds_of
from app.bars.series import Series
from app.domain.errors import InvalidInput
from app.domain.instrument import SYMBOL
from models.data.examine import Report, examine
from models.data.findings import MENDABLE, faults
from models.data.joining import FileBars, joined_files, require_one_symbol
from models.data.mend import Mended, mend
from models.data.places import places_of
from models.data.raw import RawBars, joined
from models.data.reading import files_of, read_bars
from models.data.told import Told
from models.data.writing import file_name

LISTED_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A series ready to be written, what was changed on the way to it, and its report."""

    series: Series
    changes: tuple[str, ...]
    report: Report


def prepare_files(
    paths: Sequence[Path], told: Told, *, instrument: str | None, step_seconds: int | None
) -> list[Prepared]:
    """One series for all bars of one instrument and one bar length. The instrument is the symbol that the file itself
    names, or else the symbol in the file's name, with dots for dashes, unless one is given. Raises InvalidInput with
    the file and its fault where convert cannot mend the fault.
    """
    groups: dict[tuple[str, int], list[FileBars]] = {}
    for path in files_of(paths):
        every = read_bars(path, told)
        if instrument is not None and len(every) > 1:
            raise InvalidInput("several_instruments", f"{path} holds {_listed(every)}: leave --instrument out")
        for raw in every:
            name = require_name(instrument or bar_file_symbol(raw.symbol or symbol_of(path)))
            require_sound(_named(path, raw), raw)
            if not raw.zoned:
                advice = "give --utc if they are UTC, or --zone with a name such as America/New_York"
                raise InvalidInput("no_zone", f"{path}: the times name no zone: {advice}")
            if len(raw) < 2:
                raise InvalidInput("too_few_bars", f"{_named(path, raw)}: {len(raw)} bars; at least 2 are needed")
            groups.setdefault((name, bar_seconds_of(np.unique(raw.open_time))), []).append(FileBars(path=path, raw=raw))
    for (name, _), files in groups.items():
        require_one_symbol(name, files)
    prepared = [_prepare_files(name, files, step_seconds) for (name, _), files in groups.items()]
    _require_distinct(prepared)
    return prepared


def _named(path: Path, raw: RawBars) -> str:
    return f"{path} ({raw.symbol})" if raw.symbol else str(path)


def _listed(every: Sequence[RawBars]) -> str:
    symbols = [raw.symbol for raw in every]
    more = f" and {len(symbols) - LISTED_MAX} more" if len(symbols) > LISTED_MAX else ""
    return f"{len(symbols)} instruments ({', '.join(symbols[:LISTED_MAX])}{more})"


def _prepare_files(instrument: str, files: Sequence[FileBars], step_seconds: int | None) -> Prepared:
    """One series of all files. That several files became one, or that the instrument is not called so in them, is among
    the changes."""
    one = prepare(instrument, [joined_files(instrument, files)], step_seconds)
    names = ", ".join(file.path.name for file in files)
    told = [f"joined from {names}"] if len(files) > 1 else []
    symbols = {file.raw.symbol: file.path.name for file in files if file.raw.symbol not in ("", symbol_of(file.path))}
    told += [
        f"{instrument} is {symbol} in {name}" if symbol != instrument else f"{instrument} is named in {name}"
        for symbol, name in symbols.items()
    ]
    dashed = [file for file in files if not file.raw.symbol and bar_file_symbol(symbol_of(file.path)) == instrument]
    if any(symbol_of(file.path) != instrument for file in dashed):
        told.append(f"{instrument} stands for the symbol in {names}: a dash ends the instrument in a bar file's name")
    notes = dict.fromkeys(f"{file.path.name}: {note}" for file in files for note in file.raw.notes)
    return replace(one, changes=(*told, *notes, *one.changes))


def prepare(instrument: str, parts: list[RawBars], step_seconds: int | None = None) -> Prepared:
    """One series of all parts. Raises InvalidInput where they disagree or do not lie on one grid."""
    mended = mend(instrument, joined(parts), step_seconds)
    report = examine(instrument, _raw(mended))
    if report.faults:
        files = ", ".join(dict.fromkeys(filter(None, mended.rows.places.files)))
        raise InvalidInput(report.faults[0].code, f"{instrument}{files and f' ({files})'}: {report.faults[0].text}")
    return Prepared(series=mended.series, changes=mended.changes, report=report)


def require_sound(name: str, raw: RawBars) -> None:
    """Raises InvalidInput with every fault that convert cannot mend."""
    bad = [fault for fault in faults(raw) if fault.code not in MENDABLE]
    if bad:
        raise InvalidInput(bad[0].code, f"{name}: " + "; ".join(fault.text for fault in bad))


def require_name(instrument: str) -> str:
    """The instrument, if it can name a bar file, in whose name it ends at the first `-`. Raises InvalidInput."""
    if not SYMBOL.fullmatch(instrument) or "-" in instrument:
        raise InvalidInput(
            "bad_symbol",
            f"{instrument!r} cannot name an instrument's file: give an --instrument of letters, digits, . and _ only, "
            "such as BRK.A for BRK-A",
        )
    return instrument


def _raw(mended: Mended) -> RawBars:
    """The bars to be written, with the places of their rows unless they were made of several."""
    series, rows = mended.series, mended.rows
    names = ("open", "high", "low", "close", "volume", "notional")
    places = rows.places if len(rows) == len(series) else places_of(len(series))
    columns = {name: getattr(series, name) for name in names}
    return RawBars(open_time=series.open_time, zoned=True, columns=columns, places=places)


def _require_distinct(prepared: Iterable[Prepared]) -> None:
    names = [file_name(one.series) for one in prepared]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InvalidInput("same_name", f"two of the series would be {twice}: convert them into folders of their own")
