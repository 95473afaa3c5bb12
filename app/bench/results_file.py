"""Figures in a file, with what they were measured on."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import app
from app.bench.failures import BenchFailed
from app.bench.figures import UNITS, Figure
from app.files import written_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Figures of a run, and when and on what they were measured."""

    measured_at: str
    version: str
    model: str | None
    python: str
    cores: int | None
    figures: tuple[Figure, ...]

    @classmethod
    def now(cls, figures: Sequence[Figure], *, model: str | None) -> Self:
        return cls(
            measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
            version=app.__version__,
            model=model,
            python=platform.python_version(),
            cores=os.cpu_count(),
            figures=tuple(figures),
        )

    def write(self, path: Path) -> None:
        """Raises OSError."""
        content = {name: getattr(self, name) for name in self.__slots__} | {"figures": [*map(_row, self.figures)]}
        with written_whole(path) as draft:
            draft.write_text(json.dumps(content, indent=2) + "\n")

    @classmethod
    def read(cls, paths: Iterable[Path]) -> Self:
        """Of several files the figures of all: a later file replaces what it has measured again, and says when and on
        what. Raises OSError and BenchFailed."""
        each = [cls._read(path) for path in paths]
        figures = {(figure.case, figure.orders, figure.name): figure for one in each for figure in one.figures}
        return replace(each[-1], figures=tuple(figures.values()))

    @classmethod
    def _read(cls, path: Path) -> Self:
        try:
            content = json.loads(path.read_text())
            return cls(**content | {"figures": tuple(map(_figure, content["figures"]))})
        except (ValueError, TypeError, KeyError) as error:
            raise BenchFailed(f"{path} is no file of figures that --json has written") from error


def _row(figure: Figure) -> dict[str, Any]:
    return {
        "case": figure.case,
        "orders": figure.orders,
        "name": figure.name,
        "value": figure.in_unit(figure.value),
        "unit": figure.unit,
        "target": None if figure.target is None else figure.in_unit(figure.target),
        "met": figure.met,
    }


def _figure(row: dict[str, Any]) -> Figure:
    scale, target = UNITS[row["unit"]].scale, row["target"]
    return Figure(
        case=row["case"],
        orders=row["orders"],
        name=row["name"],
        value=row["value"] / scale,
        unit=row["unit"],
        target=None if target is None else target / scale,
    )
