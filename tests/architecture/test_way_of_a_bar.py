"""A posted bar goes down the line of stages that docs/architecture.md draws."""

from __future__ import annotations

import re
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import Any

from tests.api.conftest import serving
from tests.api.wire import HISTORY, SYMBOL, bars_json, prepared, sent
from tests.builders import bars

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| [a-z ]*\| `(?P<file>app/[\w/]+\.py)` \| (?P<functions>`[^|]+`) \|", re.MULTILINE)
ENTRIES_MAX = 2

Stay = tuple[str, str]
"""A file, and the function of it that is called."""


def drawn() -> list[Stay]:
    """The stays of a bar as the table has them, from top to bottom."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text[text.index("## The way of a bar") :]
    return [(row["file"], name) for row in ROW.finditer(table) for name in re.findall(r"`([\w.]+)`", row["functions"])]


@contextmanager
def followed(watched: set[Stay]) -> Iterator[list[Stay]]:
    """Every start of a watched function, on any thread that begins inside, in order. A coroutine that goes on after it
    has waited does not start anew."""
    starts: list[Stay] = []
    seen: list[FrameType] = []  # kept, so that no frame takes another one's identity
    files = {str(ROOT / file): file for file, _ in watched}

    def profile(frame: FrameType, event: str, _: Any) -> None:
        file = files.get(frame.f_code.co_filename)
        if event != "call" or file is None or (file, frame.f_code.co_qualname) not in watched:
            return
        if not any(frame is known for known in seen):
            seen.append(frame)
            starts.append((file, frame.f_code.co_qualname))

    threading.setprofile(profile)  # the thread that decides begins with the first decision
    try:
        yield starts
    finally:
        threading.setprofile(None)
        sys.setprofile(None)


async def test_a_bar_passes_the_stages_in_their_order_and_enters_no_file_more_than_twice(tmp_path: Path) -> None:
    told = drawn()
    with followed(set(told)) as starts:
        async with serving(tmp_path) as client:
            await prepared(client)
            await sent(client, horizon={"min_steps": 6, "max_steps": 12})
            await client.post("/v1/bars", json=bars_json(bars(HISTORY + 1)[HISTORY:]))
            starts.clear()
            sys.setprofile(threading.getprofile())

            answer = await client.post("/v1/bars", json=bars_json(bars(HISTORY + 2)[HISTORY + 1 :], SYMBOL))

            sys.setprofile(None)

    assert answer.json()["accepted"] == 1
    assert len(told) >= 15
    assert list(dict.fromkeys(starts)) == told, "a bar takes another way than docs/architecture.md draws"
    entries = Counter(file for file, _ in groupby(starts, key=lambda stay: stay[0]))
    assert {file: count for file, count in entries.items() if count > ENTRIES_MAX} == {}
