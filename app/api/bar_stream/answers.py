"""What the service sends on a stream: how the stream begins, and an answer to each message."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from app.api.bar_stream.handshake import STREAM
from app.api.bar_stream.messages import SEQUENCE_MAX, StreamMessage
from app.api.bars import BARS_MAX, IngestedOut
from app.api.problem_bodies import Problem
from app.api.problems import problem_of, retry_after_seconds_of
from app.api.values import Answer, TimeOut
from app.engine.results import NewestBar

OPENED_EXAMPLE: JsonDict = {
    "type": "opened",
    "window": 32,
    "window_bytes": 1048576,
    "message_bytes_max": 1048576,
    "bars_max": BARS_MAX,
    "ping_seconds": 20,
    "idle_seconds": 3600,
    "newest": [{"instrument": "BTC-USDT", "open_time": "2025-01-06T14:15:00Z"}],
}
TAKEN_EXAMPLE: JsonDict = {
    "type": "taken",
    "message": 1,
    "sequence": 7,
    "result": {"accepted": 1, "duplicates": 0, "gaps_filled": 0, "revised": 0},
}
REFUSED_EXAMPLE: JsonDict = {
    "type": "refused",
    "message": 2,
    "sequence": 8,
    "problem": {
        "type": "urn:lem:problem:high_below_low",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "high 99 is below low 100",
        "code": "high_below_low",
        "instance": STREAM,
        "errors": [{"code": "high_below_low", "detail": "high 99 is below low 100", "pointer": "#/bars/0"}],
    },
}

MessageNumber = Annotated[int, Field(ge=1, description="which message of this stream is answered, counted from 1")]
Repeated = Annotated[
    int | None,
    Field(
        ge=0,
        le=SEQUENCE_MAX,
        description="the message's own `sequence`; not there where the message has none that can be read",
    ),
]


class NewestBarOut(Answer):
    """Where a feed goes on: with the bar after the newest stored one. There is no `open_time` where the instrument has
    no bar yet, or where a `problem` says why nothing can be told of the instrument."""

    instrument: Annotated[str, Field(description="as it was asked for")]
    open_time: Annotated[TimeOut | None, Field(description="when the newest stored bar opens")] = None
    problem: Annotated[Problem | None, Field(description="why nothing can be told")] = None

    @classmethod
    def of(cls, newest: NewestBar) -> Self:
        return cls(
            instrument=newest.symbol,
            open_time=newest.bar.open_time if newest.bar else None,
            problem=problem_of(newest.refusal, STREAM) if newest.refusal else None,
        )


class StreamOpenedOut(Answer):
    """The first message of a stream: its bounds, and the newest stored bar of each instrument that was asked for."""

    model_config = ConfigDict(json_schema_extra={"examples": [OPENED_EXAMPLE]})

    type: Literal["opened"] = "opened"
    """Kind of the message: `opened`."""
    window: Annotated[int, Field(description="the most messages that may be unanswered; the next ones are not read")]
    window_bytes: Annotated[int, Field(description="the most bytes of unanswered messages; the next ones are not read")]
    message_bytes_max: Annotated[int, Field(description="a longer message closes the stream with 1009")]
    bars_max: Annotated[int, Field(description="the most bars of one message")]
    ping_seconds: Annotated[float, Field(description="how often the service pings, and how long it awaits the answer")]
    idle_seconds: Annotated[float, Field(description="a stream without a message for so long is closed with 4408")]
    newest: Annotated[list[NewestBarOut], Field(description="in the order in which the instruments were asked for")]


class StreamTakenOut(Answer):
    """The message's bars are stored, and every slice that follows from them is decided and committed. `result` is what
    `POST /v1/bars` answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [TAKEN_EXAMPLE]})

    type: Literal["taken"] = "taken"
    """Kind of the message: `taken`."""
    message: MessageNumber
    sequence: Repeated
    result: Annotated[IngestedOut, Field(description="what became of the bars")]

    @classmethod
    def of(cls, message: StreamMessage, result: IngestedOut) -> Self:
        return cls(message=message.number, sequence=message.sequence, result=result)


class StreamRefusedOut(Answer):
    """No bar of the message is taken, and the stream goes on. `problem` is what `POST /v1/bars` answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [REFUSED_EXAMPLE]})

    type: Literal["refused"] = "refused"
    """Kind of the message: `refused`."""
    message: MessageNumber
    sequence: Repeated
    problem: Annotated[Problem, Field(description="why; its pointers count a single bar as `#/bars/0`")]
    retry_after_seconds: Annotated[
        int | None, Field(description="when to send the message again, where that helps")
    ] = None

    @classmethod
    def of(cls, message: StreamMessage, error: Exception) -> Self:
        return cls(
            message=message.number,
            sequence=message.sequence,
            problem=problem_of(error, STREAM),
            retry_after_seconds=retry_after_seconds_of(error),
        )
