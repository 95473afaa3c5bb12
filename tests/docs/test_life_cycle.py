"""The page of the HTTP interface tells the life cycle as its table has it."""

from __future__ import annotations

import re
from itertools import product

from app.domain.lifecycle import REASONS, TRANSITIONS, Status
from tests.docs.blocks import text_of

ROW = re.compile(r"^\| ([^|]*) \| ([^|]*) \| `(\w+)` \|$", re.MULTILINE)
WORD = re.compile(r"`(\w+)`")
STATUSES = {str(status) for status in Status}


def test_every_way_from_a_status_to_another_one_is_told_with_its_reason() -> None:
    told = {
        (before, after, reason)
        for befores, afters, reason in ROW.findall(text_of("docs/http.md"))
        for before, after in product(WORD.findall(befores), WORD.findall(afters))
        if {before, after} <= STATUSES
    }

    assert told == {
        (str(before), str(after), str(REASONS[move]))
        for (before, move), after in TRANSITIONS.items()
        if after is not before
    }
