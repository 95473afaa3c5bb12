"""`WS /v1/bars/stream`: the handshake, and how many streams there may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from app.api.bar_stream.answers import StreamOpenedOut, StreamRefusedOut, StreamTakenOut
from app.api.bar_stream.handshake import STREAM, VERSION
from app.api.bar_stream.messages import BarBatchIn, BarMessageIn
from app.api.bar_stream.stream import BarStream, StreamMetrics
from app.api.lanes import Lane
from app.api.openapi import problems
from app.api.problems import MEDIA_TYPE, RETRY_AFTER_SECONDS, Refused, problem_of
from app.api.services import engine_in
from app.api.values import Name
from app.domain.errors import LemError, Unavailable

router = APIRouter(tags=["bars"])

STREAMS_MAX = 100
"""Of one process. Each may hold some megabytes of messages."""
INSTRUMENTS_MAX = 1_000
MODELS: Sequence[type[BaseModel]] = (BarMessageIn, BarBatchIn, StreamOpenedOut, StreamTakenOut, StreamRefusedOut)
"""What is sent on a stream: no answer to a request has it, so that the OpenAPI document is told of it here."""

DESCRIPTION = """A WebSocket (RFC 6455, version 13): ask with `Upgrade: websocket`, or any client of that protocol.

The service begins with `StreamOpenedOut`. Send `BarMessageIn` or `BarBatchIn`: each message is answered with
`StreamTakenOut` once its bars are stored and decided, or with `StreamRefusedOut`, and the stream goes on. Up to
`window` messages may be unanswered. Answers to messages that share no instrument may overtake each other.

Closed with 1012: the service ends; connect again. 4408: no message for too long. 1009: a message was too long.
1011: a ping was not answered. After any end connect again, and go on after the newest stored bars; bars that come twice
are counted as duplicates.

A request that is no handshake is answered 426."""


class WantedStream(BaseModel):
    """Whose newest stored bars the service tells at the start, and how messages are taken."""

    model_config = ConfigDict(extra="forbid")

    instrument: Annotated[list[Name], Field(max_length=INSTRUMENTS_MAX)] = []
    partial: bool = False


_PARAMETERS: list[dict[str, Any]] = [
    {
        "name": "instrument",
        "in": "query",
        "description": f"whose newest stored bar is told at the start; may come up to {INSTRUMENTS_MAX} times",
        "schema": {"type": "array", "items": {"type": "string"}, "maxItems": INSTRUMENTS_MAX},
        "example": ["BTC-USDT"],
    },
    {
        "name": "partial",
        "in": "query",
        "description": "of each message take the bars that are right, and say which are not",
        "schema": {"type": "boolean", "default": False},
    },
]
_SWITCHED: dict[int | str, dict[str, Any]] = {101: {"description": "The stream begins"}}


@router.get(
    STREAM,
    summary="Stream closed bars",
    description=DESCRIPTION,
    status_code=101,
    response_class=Response,
    openapi_extra={"parameters": _PARAMETERS},
    responses={
        **problems("upgrade_required", "cross_site", "too_many_bar_streams", "wrong_type", "unknown_field"),
        **_SWITCHED,
    },
)
async def not_upgraded() -> Response:
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": VERSION}
    raise HTTPException(426, f"{STREAM} is a WebSocket: ask for it as RFC 6455 says", headers)


class BarStreams:
    """The open streams of this process. `lanes` are those of small and of large messages."""

    def __init__(self, lanes: Sequence[Lane], metrics: StreamMetrics) -> None:
        self.route = WebSocketRoute(STREAM, self.serve)
        self._lanes = lanes
        self._metrics = metrics
        self._open = 0

    async def serve(self, socket: WebSocket) -> None:
        """Refuse the handshake with a problem, or serve the stream to its end."""
        try:
            _require_no_foreign_page(socket.headers)
            wanted = _wanted(socket)
            self._require_place()
        except (LemError, Refused, RequestValidationError) as error:
            problem = problem_of(error, STREAM)
            self._metrics.bar_stream_refused(problem.code)
            again = {"Retry-After": str(RETRY_AFTER_SECONDS)} if isinstance(error, Unavailable) else None
            text = problem.model_dump_json(exclude_none=True, ensure_ascii=True)
            await socket.send_denial_response(Response(text, problem.status, again, MEDIA_TYPE))
            return
        self._count(1)
        try:
            stream = BarStream(socket, engine_in(socket.scope), self._lanes, self._metrics, partial=wanted.partial)
            await stream.serve(wanted.instrument)
        finally:
            self._count(-1)

    def _require_place(self) -> None:
        if self._open >= STREAMS_MAX:
            detail = f"{STREAMS_MAX} streams of bars are open already; send several instruments on one stream"
            raise Unavailable("too_many_bar_streams", detail)

    def _count(self, change: int) -> None:
        self._open += change
        self._metrics.bar_streams_open(self._open)


def _wanted(socket: WebSocket) -> WantedStream:
    query = socket.query_params
    told: dict[str, Any] = dict(query) | ({"instrument": query.getlist("instrument")} if "instrument" in query else {})
    try:
        return WantedStream.model_validate(told)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise RequestValidationError([entry | {"loc": ("query", *entry["loc"])} for entry in found]) from error


def _require_no_foreign_page(headers: Mapping[str, str]) -> None:
    """A browser lets a page of any site open a WebSocket here, in its user's network, and says whose page it is."""
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        raise Refused(403, "cross_site", "a page of another site may not send bars")
