"""Reads the bars of a request one by one, and lets other requests have their turn in between. Either all bars must be
right, or, with `partial`, those that are wrong are left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app.api.json_text import errors_at
from app.api.parser_errors import ERRORS_MAX, first_error
from app.engine.results import FeedBar, Ingested, RejectedBar
from app.engine.tasks import Breather


@dataclass(slots=True)
class ReadBars:
    """The bars of a request that could be read, each with its index there, and those that could not."""

    partial: bool
    bars: list[FeedBar] = field(default_factory=list)
    indexes: list[int] = field(default_factory=list)
    rejected: list[RejectedBar] = field(default_factory=list)

    def with_its_indexes(self, ingested: Ingested) -> Ingested:
        """What became of the request: indexes are those of the request, also where some bars could not be read."""
        rejected = [replace(each, index=self.indexes[each.index]) for each in ingested.rejected]
        return replace(ingested, rejected=tuple(sorted(rejected + self.rejected, key=lambda each: each.index)))


def all_read(bars: list[FeedBar]) -> ReadBars:
    return ReadBars(partial=False, bars=bars, indexes=list(range(len(bars))))


async def read_all(items: Sequence[Any], read: Callable[[Any], FeedBar]) -> list[FeedBar]:
    """Each item as `read` understands it. Raises RequestValidationError with what is wrong with the first wrong items;
    later ones are not looked at once enough is wrong."""
    made: list[FeedBar] = []
    errors: list[Any] = []
    breather = Breather()
    for index, item in enumerate(items):
        await breather.after()
        try:
            made.append(read(item))
        except ValidationError as error:
            errors += errors_at(error, "bars", index)
            if len(errors) >= ERRORS_MAX:
                break
    if errors:
        raise RequestValidationError(errors)
    return made


async def read_apart(items: Sequence[Any], read: Callable[[Any], FeedBar]) -> ReadBars:
    """Each item as `read` understands it, which raises ValidationError for a wrong one. Where all are wrong, there are
    no parts to take: then it raises as `read_all` does."""
    found = ReadBars(partial=True)
    breather = Breather()
    for index, item in enumerate(items):
        await breather.after()
        try:
            found.bars.append(read(item))
            found.indexes.append(index)
        except ValidationError as error:
            code, detail = first_error(error)
            found.rejected.append(RejectedBar(index=index, code=code, detail=detail))
    if not found.bars:
        await read_all(items, read)
    return found
