"""A lease of an instrument, and the ownership of a process that shares its store with nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Lease:
    """`owner` is the process that decides for an instrument, empty for nobody; `fence` counts the changes of owner.
    What an owner commits carries its fence, and the store refuses it once there is a newer one."""

    owner: str = ""
    fence: int = 0


NOBODY = Lease()


class NotOwner(Unavailable):
    """Another process has become the owner of the instrument: this one must not move its orders by bars any more."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Whether this process decides for an instrument, and under which fence: None where nobody else could."""

    owned: bool
    fence: int | None


SOLE = Holding(owned=True, fence=None)


class Ownership(Protocol):
    """What the use cases ask and tell of ownership."""

    def owns(self, symbol: str) -> bool:
        """Whether this process decides for the instrument, as far as it knows."""
        ...

    async def claim(self, symbol: str) -> Holding:
        """Whether this process decides for an instrument that it opens. One that has no owner gets one."""
        ...

    async def fenced(self, symbols: list[str]) -> None:
        """A commit of this process was refused: other processes own some of these."""
        ...

    async def reopen(self, symbol: str) -> None:
        """The instrument's terms or its older bars have changed: other processes must open it anew."""
        ...

    async def gone(self, symbol: str) -> None:
        """The instrument was deleted: nobody owns it, and no process must go on with what it knows of it."""
        ...

    async def decided(self, newest: Mapping[str, datetime], appended: frozenset[str]) -> bool:
        """Wait until the owners of instruments have decided on the bars that open then; of those `appended` they know
        already. False where that takes too long."""
        ...


class SoleOwner:
    """This process decides for all instruments: it shares its store with nobody."""

    def owns(self, symbol: str) -> bool:
        return True

    async def claim(self, symbol: str) -> Holding:
        return SOLE

    async def fenced(self, symbols: list[str]) -> None:
        """Nobody else can be the owner."""

    async def reopen(self, symbol: str) -> None:
        """Nobody else has it open."""

    async def gone(self, symbol: str) -> None:
        """Nobody else has it open."""

    async def decided(self, newest: Mapping[str, datetime], appended: frozenset[str]) -> bool:
        raise AssertionError(f"nobody else decides for {sorted(newest)} ({len(appended)} appended)")
