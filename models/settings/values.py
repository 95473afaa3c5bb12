"""Kinds of values that plan files hold. A boolean is no number, and a text is never read as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import Field

Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""Whole numbers are numbers too; NaN and infinity are not."""


def zero_or_at_least(least: int) -> Callable[[int], int]:
    """A check for sizes of which 0 leaves something out."""

    def checked(value: int) -> int:
        if 0 < value < least:
            raise ValueError(f"must be 0 or at least {least}")
        return value

    return checked
