"""Frozen values to JSON and back: decimals are strings there, times RFC 3339 with an offset."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from lem_client.words import Word

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """Fields that are None are left out: the service decides them. Raises ValueError for a time without an offset,
    which no two computers read alike."""
    if is_dataclass(value):
        told = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: to_json(each) for name, each in told.items() if each is not None}
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no offset: give the time a tzinfo, such as datetime.UTC")
        return value.isoformat()
    return value


def from_json(kind: type[T], value: Any) -> T:
    """The value as `kind`. Fields that `kind` does not have are skipped: a newer service may say more. Raises
    ValueError where the value does not fit."""
    reader: Callable[[Any], T] = _reader(cast("Any", kind))
    try:
        return reader(value)
    except (TypeError, KeyError, InvalidOperation) as error:
        raise ValueError(f"it is no {kind.__name__}: {error}") from error


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    if get_origin(kind) is UnionType:
        return _optional([_reader(each) for each in get_args(kind) if each is not NoneType])
    if get_origin(kind) is tuple:
        return _many(_reader(get_args(kind)[0]))
    if get_origin(kind) is Mapping:
        return _mapped(_reader(get_args(kind)[1]))
    if is_dataclass(kind):
        return _fields(kind)
    return _plain(kind)


def _optional(readers: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """What the first reader makes of the value that can read it."""
    *others, last = readers

    def read(value: Any) -> Any:
        if value is None:
            return None
        for each in others:
            with suppress(TypeError, InvalidOperation):
                return each(value)
        return last(value)

    return read


def _many(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: tuple(read(each) for each in _checked(list, value))


def _mapped(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: {name: read(each) for name, each in _checked(dict, value).items()}


def _fields(kind: Any) -> Callable[[Any], Any]:
    readers = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}

    def read(value: Any) -> Any:
        given = _checked(dict, value)
        return kind(**{name: reader(given[name]) for name, reader in readers.items() if name in given})

    return read


def _plain(kind: Any) -> Callable[[Any], Any]:
    if kind is Decimal:
        return lambda value: Decimal(_checked(str, value))
    if kind is datetime:
        return lambda value: datetime.fromisoformat(_checked(str, value))
    if kind is float:
        return lambda value: float(_checked((int, float), value))
    if kind is Any:
        return lambda value: value
    if issubclass(kind, Word):
        return lambda value: kind(_checked(str, value))
    return lambda value: _checked(kind, value)


def _checked(kind: Any, value: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{value!r} is not of the type {kind}")
    return value
