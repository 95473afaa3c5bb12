"""What holds for every test."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import redis.utils
from hypothesis import HealthCheck, settings

from tests import guard

# A busy machine is no failure: how long an example takes says nothing about what it proves.
settings.register_profile("lem", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lem")

# Every new connection asks for it, and reads all that the package says of itself: a millisecond, some 5,000 times.
redis.utils.get_lib_version = cache(redis.utils.get_lib_version)

SLOWEST_FIRST = ("measures", "exports", "trains", "explores", "spawns")
"""Markers in the order in which the files that hold them start: no long file is left to run alone at the end."""
COLLECTED_AFTER = (100_000, 50, 100)
"""New objects before a search for garbage in circles: with Python's own, that is a fifth of the quick suite's time."""
FIXTURES_THAT_TRAIN = {"trained"}


def pytest_configure() -> None:
    guard.watch_processes()
    gc.set_threshold(*COLLECTED_AFTER)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: one more than there are cores, since tests wait for stores and for processes."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + 1


def pytest_collection_finish() -> None:
    gc.freeze()  # with what little of it is garbage: to look for that takes longer than it is worth


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if FIXTURES_THAT_TRAIN & set(getattr(item, "fixturenames", ())):
            item.add_marker("trains")
    ranks: dict[Path, int] = {}
    for item in items:
        ranks[item.path] = min(_rank(item), ranks.get(item.path, len(SLOWEST_FIRST)))
    items.sort(key=lambda item: ranks[item.path])


def _rank(item: pytest.Item) -> int:
    ranks = [SLOWEST_FIRST.index(mark.name) for mark in item.iter_markers() if mark.name in SLOWEST_FIRST]
    return min(ranks, default=len(SLOWEST_FIRST))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    with guard.during(item):
        return (yield)
