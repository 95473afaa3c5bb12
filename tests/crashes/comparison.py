"""A disturbed run beside the undisturbed one of the same play: what was lost, what was doubled, what is different.

Both the answers that the OMS got and all that the store holds must be the same. What may differ is named here, and
nothing else:

- `commit` of an order and `changed` of an instrument are names drawn at random for each script call;
- `owner` and `fence` of an instrument, and `lem:processes`, say which process decides, and how often that has changed;
- an event's place in its stream is the server's time: their order and their texts count;
- the counters of a feed's bars count what came, and a disturbed feed sends bars again;
- `lem:probe` is written by whoever asks for readiness.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.store import keys
from tests.crashes.oms import Transcript

OF_PROCESSES = {"commit", "changed", "owner", "fence"}
KEYS_OF_PROCESSES = {keys.PROBE, keys.PROCESSES}
EVENTS = ":events"
QUALITY = ":quality"
TOLD_MAX = 20

Dump = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a play: the OMS' answers, and what the store held at the end."""

    transcript: Transcript
    dump: Dump


@dataclass(frozen=True, slots=True)
class Differences:
    lost: int
    doubled: int
    different: int
    told: tuple[str, ...]

    @property
    def any(self) -> bool:
        return bool(self.lost or self.doubled or self.different)


def compare(undisturbed: Run, disturbed: Run) -> Differences:
    found = [*_in_store(undisturbed.dump, disturbed.dump), *_in_answers(undisturbed.transcript, disturbed.transcript)]
    counts = Counter(kind for kind, _ in found)
    told = tuple(f"{kind}: {what}"[:2_000] for kind, what in found[:TOLD_MAX])
    return Differences(counts["lost"], counts["doubled"], counts["different"], told)


def _in_store(before: Dump, after: Dump) -> Iterator[tuple[str, str]]:
    for key in sorted({*before, *after} - KEYS_OF_PROCESSES):
        if key.endswith(QUALITY):
            continue
        if key.endswith(EVENTS):
            yield from _in_events(key, _texts(before.get(key, [])), _texts(after.get(key, [])))
        else:
            yield from _in_entries(key, _entries(before.get(key)), _entries(after.get(key)))


def _in_entries(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in sorted({*before, *after}):
        if name not in after:
            yield "lost", f"{key} {name}: {before[name]}"
        elif name not in before:
            yield "doubled", f"{key} {name}: {after[name]}"
        elif before[name] != after[name]:
            yield "different", f"{key} {name}: {after[name]}\n  undisturbed {before[name]}"


def _in_events(key: str, before: list[str], after: list[str]) -> Iterator[tuple[str, str]]:
    missing, extra = Counter(before) - Counter(after), Counter(after) - Counter(before)
    yield from (("lost", f"{key} {text}") for text in missing.elements())
    yield from (("doubled", f"{key} {text}") for text in extra.elements())
    if not missing and not extra and before != after:
        first = next(index for index, (one, other) in enumerate(zip(before, after, strict=True)) if one != other)
        yield "different", f"{key}: event {first} is {after[first]}\n  undisturbed {before[first]}"


def _in_answers(before: Transcript, after: Transcript) -> Iterator[tuple[str, str]]:
    """The first answer that is another one: what follows on it may only follow from it."""
    yield from (("different", fault) for fault in after.broken)
    for (name, one), (other_name, other) in zip(before.answers, after.answers, strict=False):
        if (name, one) != (other_name, other):
            yield "different", f"{other_name}: {other}\n  undisturbed {name}: {one}"
            return
    if len(before.answers) != len(after.answers):
        yield "different", f"{len(after.answers)} answers, undisturbed {len(before.answers)}"


def _texts(stream: list[tuple[str, dict[str, str]]]) -> list[str]:
    return [fields["json"] for _, fields in stream]


def _entries(value: Any) -> dict[str, Any]:
    """What a key holds, by name: fields, members, bars by their id."""
    match value:
        case None:
            return {}
        case dict():
            return {name: each for name, each in value.items() if name not in OF_PROCESSES}
        case set():
            return dict.fromkeys(value, True)
        case list():
            return dict(value)
        case _:
            return {"": value}
