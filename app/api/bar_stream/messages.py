"""What a feed sends on a stream: one bar or a batch of them, as `POST /v1/bars` takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from app.api.bar_parts import ReadBars, all_read, read_all, read_apart
from app.api.bars import BARS_MAX, EXAMPLE, VALUES_MAX, BarIn, read_bar
from app.api.json_text import (
    commas_of,
    errors_at,
    located,
    parsed,
    require_commas,
    require_few_fields,
    require_few_values,
    require_flat_objects,
)
from app.api.values import WHOLE, Edge

SEQUENCE_MAX = 2**53
SequenceNumber = Annotated[int, Field(ge=0, le=SEQUENCE_MAX, strict=True), WHOLE]
SEQUENCE: TypeAdapter[int | None] = TypeAdapter(SequenceNumber | None)


class BarMessageIn(BarIn):
    """A message with one bar. `sequence` is the feed's own number, which the answer repeats."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"sequence": 7, **EXAMPLE}]})

    sequence: SequenceNumber | None = None
    """The feed's own number of the message, which the answer repeats."""


class BarBatchIn(Edge):
    """A message with several bars. `sequence` is the feed's own number, which the answer repeats."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"sequence": 8, "bars": [EXAMPLE]}]})

    bars: Annotated[list[BarIn], Field(min_length=1, max_length=BARS_MAX)]
    """1 to 10,000 bars, of one instrument or of several."""
    sequence: SequenceNumber | None = None
    """The feed's own number of the message, which the answer repeats."""


class _Batch(Edge):
    """A batch whose bars are read one by one."""

    bars: Annotated[list[Any], Field(min_length=1, max_length=BARS_MAX)]


@dataclass(slots=True)
class StreamMessage:
    """The message `number` of a stream, counted from 1. Its `sequence` is known once it is read."""

    number: int
    body: bytes
    sequence: int | None = None

    async def read(self, *, partial: bool) -> ReadBars:
        """Its bars; a single one counts as a batch of one. Raises as the route of `POST /v1/bars` does."""
        require_few_values(self.body, VALUES_MAX)
        require_flat_objects(self.body)
        value = _parsed(self.body)
        numbered = isinstance(value, dict) and "sequence" in value
        if numbered:
            self.sequence = _sequence(value.pop("sequence"))
        items = [value] if isinstance(value, dict) and "bars" not in value else _bars_of(value)
        read = await read_apart(items, read_bar) if partial else all_read(await read_all(items, read_bar))
        if not read.rejected:
            require_commas(self.body, len(items) - 1 + sum(map(commas_of, items)) + numbered)
        return read


def _parsed(body: bytes) -> Any:
    try:
        return require_few_fields(parsed(body))
    except ValidationError as error:
        raise located(error) from error


def _sequence(value: Any) -> int | None:
    try:
        return SEQUENCE.validate_python(value)
    except ValidationError as error:
        raise RequestValidationError(errors_at(error, "sequence")) from error


def _bars_of(value: Any) -> list[Any]:
    try:
        return _Batch.model_validate(value).bars
    except ValidationError as error:
        raise located(error) from error
