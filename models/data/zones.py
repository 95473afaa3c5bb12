"""Times without a zone, read on the clock of a place: an exchange's local times are an hour apart from summer on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from app.domain.errors import InvalidInput
from models.data.places import Places

Seconds = NDArray[np.int64]

SLOT_SECONDS = 900
"""Clocks are moved on quarters of an hour."""


def known_zone(name: str) -> str:
    """The name, if the machine knows the zone. Raises InvalidInput."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidInput("bad_zone", f"--zone {name}: write a name such as America/New_York or UTC") from error
    return name


def from_local(wall: Seconds, zone: str, places: Places) -> Seconds:
    """[T]: seconds since the epoch of local times [T], given in seconds since their own 1970-01-01 00:00.

    Raises InvalidInput with the first time that the zone's clock shows twice or never, on the days on which it is
    moved.
    """
    slots, slot = np.unique(wall // SLOT_SECONDS, return_inverse=True)
    clock = ZoneInfo(zone)
    ahead = np.array([_ahead(int(number) * SLOT_SECONDS, clock) for number in slots], dtype=np.int64).reshape(-1, 2)
    unclear = (ahead[:, 0] != ahead[:, 1])[slot]
    if unclear.any():
        index = int(np.argmax(unclear))
        time = datetime.fromtimestamp(int(wall[index]), UTC)
        twice = ahead[slot[index], 0] > ahead[slot[index], 1]
        raise InvalidInput(
            "bad_timestamp",
            f"the time {time:%Y-%m-%d %H:%M:%S} in {places.at(index)} comes {'twice' if twice else 'never'} in {zone}, "
            "where the clock is moved then: write times with their offset, or in UTC",
        )
    seconds: Seconds = wall - ahead[slot, 0]
    return seconds


def _ahead(wall: int, clock: ZoneInfo) -> tuple[int, int]:
    """The seconds by which the clock is ahead of UTC at its time `wall`, the first time and the second that it shows
    this time."""
    local = datetime(1970, 1, 1, tzinfo=clock) + timedelta(seconds=wall)
    first, second = (local.replace(fold=fold).utcoffset() for fold in (0, 1))
    return _whole(first), _whole(second)


def _whole(offset: timedelta | None) -> int:
    return 0 if offset is None else int(offset.total_seconds())
