"""Answers that wait for replicas: what a server acknowledges is lost with it unless others have it, too.

`WAIT` counts from the last write of its own connection, and a call that is repeated after a lost answer finds its work
done and writes nothing. So a small key is written before it: the replicas that have that key have all before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import ResponseError

WRITES = frozenset({"EVALSHA", "EVAL", "SET", "SADD", "HSET", "EXPIRE"})
"""The commands of ours that may write. Scripts that only read wait in vain, but for no longer than others do."""


class NotReplicated(ResponseError):
    """Too few replicas have said in time that they have what was written. It may be recorded all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """How many replicas must have what is written before it is acknowledged, and how long that may take."""

    replicas: int
    milliseconds: int

    def commands(self, probe: str) -> Iterator[tuple[Any, ...]]:
        """Behind the commands of a round trip."""
        yield "SET", probe, "1"
        yield "WAIT", self.replicas, self.milliseconds


def replication(replicas: int, milliseconds: int) -> Replication | None:
    """None where nothing waits."""
    return Replication(replicas=replicas, milliseconds=milliseconds) if replicas else None


def confirmed(waits: Replication, commands: Sequence[tuple[Any, ...]], answers: Sequence[Any]) -> list[Any]:
    """The answers of the commands, from those of the whole round trip: an error in the place of what was written where
    too few replicas have it."""
    *own, probed, count = answers
    if isinstance(probed, Exception) or isinstance(count, Exception):
        refusal: Exception = probed if isinstance(probed, Exception) else count
    elif int(count) < waits.replicas:
        refusal = NotReplicated(
            f"NOREPLICAS {count} of {waits.replicas} replicas have acknowledged within {waits.milliseconds} ms"
        )
    else:
        return own
    return [
        refusal if command[0] in WRITES and not isinstance(answer, Exception) else answer
        for command, answer in zip(commands, own, strict=True)
    ]
