"""What can happen to a service, where on the way, and which of it a seed stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from tests.crashes.points import SHARED_POINTS, Point

SCENARIOS_A_PLAY = 16
"""Seeds in a row that share a play, and so its undisturbed run."""


class Kind(StrEnum):
    KILL = "kill -9"
    """The process ends at the point, and is started again."""
    KILL_TWICE = "kill -9 twice"
    """The process that takes up the work ends as well, at its first passage of a point."""
    STOP = "stop and continue"
    """The process is stopped (SIGSTOP). Its client gives up and asks again, and then the process goes on."""
    CUT = "cut connection"
    """The next requests to the store, or the answers to them, are lost and their connections closed."""
    AWAY = "store unreachable"
    """No connection to the store stands or can be made, until clients have been refused."""
    DELAY = "delayed connection"
    """What is sent to the store arrives after the service has given up and was asked again."""
    LATE_WRITE = "kill -9, write arrives later"
    """The process ends while a request to the store is under way, which arrives when another process is at work."""
    STORE_KILL = "store kill -9"
    """The store's server ends, and is started again."""
    STORE_STOP = "store stop and continue"
    """The store's server is stopped until clients have been refused. It then does all that was sent meanwhile."""
    FULL = "store full"
    """The store refuses to write until clients have been refused: no memory where it is shared, no disk where it is
    embedded."""


class Layout(StrEnum):
    SHARED = "one service"
    EMBEDDED = "one service, embedded store"
    REPLICAS = "several services"


EMBEDDED_KINDS = frozenset({Kind.KILL, Kind.KILL_TWICE, Kind.STOP, Kind.STORE_KILL, Kind.STORE_STOP, Kind.FULL})
"""A proxy cannot stand between a service and its embedded store."""
EMBEDDED_SHARE, REPLICAS_SHARE = 0.15, 0.3
SERVICES = (2, 2, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """`kind` strikes at passage `passage` of `point`, counted in one process from 1. `times` is how many connections
    are cut, or how many refusals a client meets before the store is well again. `answer_only`: what is cut has been
    done by the store, and a client is patient. `again` is the point at which the next process ends, too. `for_good`:
    the process that ends is not started again, since others are there."""

    kind: Kind
    point: Point
    passage: int
    times: int
    answer_only: bool
    again: Point | None = None
    for_good: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    seed: int
    kind: Kind
    point: Point
    layout: Layout
    services: int = 1

    @property
    def play(self) -> int:
        return self.seed // SCENARIOS_A_PLAY

    def harm(self, passages: Mapping[Point, int]) -> Harm:
        """`passages` are those of the undisturbed run, with one service: the harm strikes at one of them. One of
        several services passes the point at least as often as its share is."""
        random, kills = Random(f"harm {self.seed}"), self.kind is Kind.KILL
        return Harm(
            kind=self.kind,
            point=self.point,
            passage=random.randint(1, max(1, passages[self.point] // self.services)),
            times=random.choice((1, 1, 2, 3)),
            answer_only=random.random() < 0.5,
            again=random.choice(list(Point)) if self.kind is Kind.KILL_TWICE else None,
            for_good=kills and self.services > 1 and random.random() < 0.5,
        )


def scenario_of(seed: int, only: Kind | None = None) -> Scenario:
    """Points and kinds come in turn, so that a few hundred seeds in a row hold every pair of them."""
    points, kinds = list(Point), [only] if only else list(Kind)
    pair = seed * _coprime(len(points) * len(kinds)) % (len(points) * len(kinds))
    kind, point = kinds[pair % len(kinds)], points[pair // len(kinds)]
    random = Random(f"layout {seed}")
    drawn = random.random()
    if drawn < EMBEDDED_SHARE and kind in EMBEDDED_KINDS and point not in SHARED_POINTS:
        return Scenario(seed, kind, point, Layout.EMBEDDED)
    if drawn > 1 - REPLICAS_SHARE:
        return Scenario(seed, kind, point, Layout.REPLICAS, random.choice(SERVICES))
    return Scenario(seed, kind, point, Layout.SHARED)


def _coprime(count: int) -> int:
    """A stride that meets every number below `count` once, and near ones not one after another."""
    from math import gcd

    return next(stride for stride in range(count * 3 // 5, 2 * count) if gcd(stride, count) == 1)
