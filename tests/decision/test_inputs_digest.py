"""The digest of a slice's inputs changes with each of them, and with nothing else."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from app.decision.inputs_digest import ROW_NAMES, input_digests, window_digest
from app.decision.policy import Rows
from app.domain.projection import Room
from tests.builders import a_room
from tests.market import some_rows

BARS = np.arange(60, dtype=np.float32).reshape(1, 6, 10)


def digest(rows: Rows | None = None, room: Room | None = None, window: bytes | None = None) -> str:
    one = (rows or some_rows()).take(np.array([0]))
    [found] = input_digests(window or window_digest(BARS, 4), one, [room or a_room()])
    return found


def test_the_same_inputs_have_the_same_digest_whatever_is_decided_with_them() -> None:
    rows = some_rows().take(np.array([0, 0, 0]))

    found = input_digests(window_digest(BARS, 4), rows, [a_room(), a_room(leaves=3), a_room()])

    assert found[0] == found[2] == digest()
    assert found[1] != found[0]
    assert len(found[0]) == 12


@pytest.mark.parametrize("name", ROW_NAMES)
def test_every_value_that_a_policy_reads_of_an_order_counts(name: str) -> None:
    rows = some_rows()
    changed = replace(rows, **{name: getattr(rows, name) + 1})

    assert digest(changed) != digest(rows)


@pytest.mark.parametrize("name", [field.name for field in fields(Room)])
def test_every_limit_of_the_step_counts(name: str) -> None:
    room = a_room()
    value: Any = getattr(room, name)
    other: dict[str, Any] = {name: not value if isinstance(value, bool) else (value or 0) + 1}
    changed = replace(room, **other)

    assert digest(room=changed) != digest(room=room)


def test_every_bar_that_is_read_counts_and_no_other() -> None:
    older, read = BARS.copy(), BARS.copy()
    older[0, 1, 3] += 1
    read[0, 2, 3] += 1

    assert window_digest(older, 4) == window_digest(BARS, 4)
    assert window_digest(read, 4) != window_digest(BARS, 4)
