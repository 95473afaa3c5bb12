"""What the store holds and this release cannot understand is set aside: left as it is, told once, and refused by name,
while everything else goes on."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from redis.exceptions import ResponseError

from app.domain.errors import LemError, Unavailable

LOG = logging.getLogger(__name__)
KEYS_KEPT = 10_000
WRONG_TYPE = ("WRONGTYPE", "value is not an integer", "hash value is not an integer")
"""How the server refuses a command on a key that holds something else."""
NOT_UNDERSTOOD = (ValueError, KeyError, TypeError, AttributeError, IndexError, ArithmeticError, LemError)
"""What reading a value raises where its form is another one, or where it says what cannot be."""


class Kind(StrEnum):
    """What is not understood. The code of the refusal is `<kind>_unreadable`."""

    ORDER = "order"
    INSTRUMENT = "instrument"


class Unreadable:
    """`on_found` is called once for each key, with its kind."""

    def __init__(self, on_found: Callable[[str], None]) -> None:
        self._on_found = on_found
        self._keys: OrderedDict[str, None] = OrderedDict()

    @contextmanager
    def understanding(self, kind: Kind, key: str) -> Iterator[None]:
        """Raises Unavailable("order_unreadable" | "instrument_unreadable") for a value that is not understood."""
        try:
            yield
        except ResponseError as error:
            if not _of_another_type(error):
                raise
            raise self.found(kind, key, "it is of another type") from error
        except Unavailable:
            raise
        except NOT_UNDERSTOOD as error:
            raise self.found(kind, key, f"{type(error).__name__}: {error}") from error

    def found(self, kind: Kind, key: str, why: str) -> Unavailable:
        """Sets the key aside; returns the refusal."""
        if key not in self._keys:
            self._keys[key] = None
            if len(self._keys) > KEYS_KEPT:
                self._keys.popitem(last=False)
            LOG.error("%s in the store is not understood and is set aside (%s)", key, why)
            self._on_found(kind)
        detail = f"{key} in the store is not understood by this release; see the log"
        if kind is Kind.ORDER:
            return Unavailable("order_unreadable", detail)
        return Unavailable("instrument_unreadable", detail)


def _of_another_type(error: ResponseError) -> bool:
    """A pipeline puts its command before what the server has said."""
    said = str(error).rpartition("caused error: ")[2]
    return said.lstrip("('").startswith(WRONG_TYPE)
