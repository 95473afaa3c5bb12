"""How values are written as JSON text: decimals as strings, `v` the version of the form.

A form only grows: what is added gets a default when it is read, and `v` counts up when an old reader must not go on.

What is written with every bar is an array without names. The version comes first in it, what is added to it comes last,
and a reader passes over what it does not know. Times are seconds since the epoch there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from struct import Struct
from typing import Any

VERSION = 1
ARRAY_VERSION = 2
"""Version 1 of what is an array now was an object with names; see older_forms.py."""
SHORT_VERSION = 4
"""Of states and slices, in which what says nothing new is left out; version 2 of them is in former_arrays.py."""
WITHOUT_INPUTS = 3
"""The version of states and slices before slices had the digest of their inputs."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS_CACHED = 4_096
MICROSECOND_DIGITS = 6
_SINGLE, _BITS = Struct("<f"), Struct("<I")


def _encoder() -> Callable[[object], str]:
    """`json` builds its C encoder anew for every text, which takes three times as long as to write a short one: here it
    is built once. It is no public part of `json`; where it is missing, `json` writes the same."""
    plain = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
    build = getattr(json.encoder, "c_make_encoder", None)
    if build is None:
        return plain.encode
    write_text = json.encoder.encode_basestring
    write = build(None, plain.default, write_text, None, ":", ",", False, False, True)
    return lambda value: "".join(write(value, 0))


ENCODE = _encoder()


def dumps(value: dict[str, Any], version: int = VERSION) -> str:
    return ENCODE({"v": version, **value})


def loads(line: str, version: int = VERSION) -> dict[str, Any]:
    """Raises ValueError for a form that this release does not know."""
    value: dict[str, Any] = json.loads(line)
    require_version(value.pop("v", None), version)
    return value


def array(*values: object) -> str:
    return ENCODE((ARRAY_VERSION, *values))


def short_array(values: Iterable[object]) -> str:
    return ENCODE((SHORT_VERSION, *values))


def trimmed(values: list[object], rare: list[object]) -> list[object]:
    """Both, without the zeros at the end of `rare`, which mostly has nothing else."""
    if rare != [0] * len(rare):
        values += rare
        while values[-1] == 0:
            values.pop()
    return values


def is_array(line: str) -> bool:
    """Whether the text is of the form without names."""
    return line.startswith("[")


def array_from(line: str) -> list[Any]:
    """The values. Raises ValueError for a form that this release does not know."""
    values: list[Any] = json.loads(line)
    require_version(values.pop(0), ARRAY_VERSION)
    return values


def array_values(line: str) -> tuple[int, list[Any]]:
    """The version, and the values of a form that has had several. Raises ValueError for another one."""
    version, *values = json.loads(line)
    if version not in (SHORT_VERSION, WITHOUT_INPUTS):
        require_version(version, ARRAY_VERSION)
    return version, values


def single(value: str) -> int | str:
    """A number as a policy writes it: what a float of 32 bits holds exactly, as these bits, and otherwise the text."""
    if value == "0.0":
        return 0
    try:
        bits: int = _BITS.unpack(_SINGLE.pack(float(value)))[0]
    except OverflowError:
        return value
    return bits if single_from(bits) == value else value


def single_from(value: int | str) -> str:
    return value if isinstance(value, str) else repr(_SINGLE.unpack(_BITS.pack(value))[0])


def text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def number(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def seconds(value: datetime) -> float | str:
    """Since the epoch, which a double holds to the microsecond; RFC 3339 where an offset is to be kept."""
    return _utc_seconds(value) if value.tzinfo is UTC or not value.utcoffset() else value.isoformat()


@lru_cache(maxsize=MOMENTS_CACHED)
def _utc_seconds(value: datetime) -> float:
    """Kept, since the orders of an instrument have few times between them."""
    exact = value.timestamp()
    whole = int(exact)
    return whole if whole == exact else exact


def time_from(value: float | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else EPOCH + timedelta(seconds=value)


def seconds_since(start: float | str, value: datetime) -> float | str:
    """Since `start`, itself in seconds; as `seconds` where one of them has an offset."""
    at = seconds(value)
    return at if isinstance(at, str) or isinstance(start, str) else round(at - start, MICROSECOND_DIGITS)


def time_since(start: float | str, value: float | str) -> datetime:
    return time_from(value if isinstance(value, str) or isinstance(start, str) else start + value)


def require_version(found: object, known: int) -> None:
    if found != known:
        raise ValueError(f"a value in the store has form {found}; this release reads {known}")
