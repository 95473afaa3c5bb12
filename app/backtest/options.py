"""Read options that hold lists, exact decimals and times. Raises typer.BadParameter with what an option must be."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

import typer

Word = TypeVar("Word", bound=StrEnum)


def words(option: str, text: str, kind: type[Word]) -> list[Word]:
    try:
        return list(dict.fromkeys(kind(word.strip()) for word in text.split(",")))
    except ValueError:
        raise typer.BadParameter(f"--{option} {text}: must be a list of {', '.join(kind)}") from None


def whole_numbers(option: str, text: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(word) for word in text.split(",")}))
    except ValueError:
        raise typer.BadParameter(f"--{option} {text}: must be a list of whole numbers such as 1,6,12") from None


def decimal(option: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f"--{option} {text}: must be a number") from None


def seconds(moment: datetime | None) -> int | None:
    """Seconds since the epoch of a time that is meant as UTC."""
    return None if moment is None else int(moment.replace(tzinfo=UTC).timestamp())
