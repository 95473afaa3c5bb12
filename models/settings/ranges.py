"""The values that a field of a plan may take, written beside the field: `steps: Annotated[int, Range(1, 10)]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

SHOWN_MAX = 40
"""Characters of a wrong value that a message repeats."""


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`, both included; `or_zero` where 0 lies below and leaves something out."""

    low: float
    high: float
    or_zero: bool = False

    def has(self, value: float) -> bool:
        """Never NaN."""
        return self.low <= value <= self.high or (self.or_zero and value == 0)

    def told(self, kind: type) -> str:
        zero, noun = "0 or " if self.or_zero else "", "a whole number" if kind is int else "a number"
        return f"{zero}{noun} from {self.low:,} to {self.high:,}"


def require_in_range(values: object) -> None:
    """Check the fields of a dataclass that have a Range. Raises ValueError with the first that is of another type than
    the field's (a whole number is a number, a boolean is neither) or out of its range, and with what it may be."""
    for name, hint in get_type_hints(type(values), include_extras=True).items():
        if get_origin(hint) is Annotated:
            kind, permitted = get_args(hint)
            value = getattr(values, name)
            if not (_is(kind, value) and permitted.has(value)):
                raise ValueError(f"{name} is {value!r:.{SHOWN_MAX}}; it must be {permitted.told(kind)}")


def _is(kind: type, value: Any) -> bool:
    return isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
