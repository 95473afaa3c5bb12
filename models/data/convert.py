"""Prepare users' files to be written as bar files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from models.data.joining import FileBars, joined_files
from models.data.mend import Mended, mend
from models.data.raw import RawBars, joined
from models.data.reading import read_bars
from models.data.writing import file_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A series ready to be written, what was changed on the way to it, and its report."""

    series: Series
    changes: tuple[str, ...]
    report: Report


def prepare_files(
    paths: Sequence[Path],
    mapping: Mapping[str, str],
    *,
    instrument: str | None,
    utc: bool,
    step_seconds: int | None,
) -> list[Prepared]:
    """One series for all files of one instrument and one bar length. The instrument is the symbol in a file's name,
    with dots for dashes, unless one is given. Raises InvalidInput with the file and its fault where convert cannot mend
    the fault.
    """
    groups: dict[tuple[str, int], list[FileBars]] = {}
    for path in paths:
        name = require_name(bar_file_symbol(symbol_of(path)) if instrument is None else instrument)
        raw = read_bars(path, mapping)
        require_sound(str(path), raw)
        if not raw.zoned and not utc:
            raise InvalidInput("no_zone", f"{path}: the times name no zone: give --utc if they are UTC")
        if len(raw) < 2:
            raise InvalidInput("too_few_bars", f"{path}: {len(raw)} bars; at least 2 are needed")
        groups.setdefault((name, bar_seconds_of(np.unique(raw.open_time))), []).append(FileBars(path=path, raw=raw))
    prepared = [_prepare_files(name, files, step_seconds) for (name, _), files in groups.items()]
    _require_distinct(prepared)
    return prepared


def _prepare_files(instrument: str, files: Sequence[FileBars], step_seconds: int | None) -> Prepared:
    """One series of all files. That several files became one, or a dash in their names a dot, is among the changes."""
    one = prepare(instrument, [joined_files(instrument, files)], step_seconds)
    names = ", ".join(file.path.name for file in files)
    told = [f"joined from {names}"] if len(files) > 1 else []
    if any(bar_file_symbol(symbol_of(file.path)) == instrument != symbol_of(file.path) for file in files):
        told.append(f"{instrument} stands for the symbol in {names}: a dash ends the instrument in a bar file's name")
    return replace(one, changes=(*told, *one.changes))


def prepare(instrument: str, parts: list[RawBars], step_seconds: int | None = None) -> Prepared:
    """One series of all parts. Raises InvalidInput where they disagree or do not lie on one grid."""
    mended = mend(instrument, joined(parts), step_seconds)
    report = examine(instrument, _raw(mended))
    if report.faults:
        raise InvalidInput(report.faults[0].code, f"{instrument}: {report.faults[0].text}")
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
    series = mended.series
    names = ("open", "high", "low", "close", "volume", "notional")
    return RawBars(open_time=series.open_time, zoned=True, columns={name: getattr(series, name) for name in names})


def _require_distinct(prepared: Iterable[Prepared]) -> None:
    names = [file_name(one.series) for one in prepared]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InvalidInput("same_name", f"two of the series would be {twice}: convert them into folders of their own")
