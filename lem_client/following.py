"""How a client follows events, without the network: how a stream is asked for and read, and when to ask again."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import random
from time import monotonic
from typing import Any

import httpx

from lem_client.calls import Call
from lem_client.conversation import failure_of
from lem_client.errors import ClientError, UnexpectedAnswer, Unreachable
from lem_client.events import Event, EventData
from lem_client.json_values import from_json
from lem_client.retries import Retries, may_pass

MEDIA_TYPE = "text/event-stream"
SILENT_SECONDS_MAX = 45.0
"""The service says something at least every 15 seconds: a stream that is silent for longer is lost."""


class Following:
    """One who follows events, over as many streams as it takes. `after` is the place behind which the next one begins:
    the service tells it at the start, too, so that nothing is missed before the first event."""

    def __init__(
        self,
        call: Call[None],
        after: str | None,
        retries: Retries,
        clock: Callable[[], float] = monotonic,
        chance: Callable[[], float] = random,
    ) -> None:
        self.after = after
        self._call = call
        self._retries = retries
        self._clock = clock
        self._chance = chance
        self._attempts = 0
        self._heard_at = clock()
        self._lines: dict[str, str] = {}

    def request(self, timeout_seconds: float) -> dict[str, Any]:
        """The arguments of httpx's `stream`."""
        self._lines = {}
        headers = {"accept": MEDIA_TYPE} | ({"last-event-id": self.after} if self.after is not None else {})
        timeout = httpx.Timeout(timeout_seconds, read=SILENT_SECONDS_MAX)
        return {"method": "GET", "url": self._call.path, "headers": headers, "timeout": timeout}

    def accepts(self, response: httpx.Response) -> bool:
        """Whether the answer is a stream; any other one is read whole, for `pause_seconds`."""
        return response.is_success and response.headers.get("content-type", "").startswith(MEDIA_TYPE)

    def event(self, line: str) -> Event | None:
        """The event that ends with the line. Raises UnexpectedAnswer for one that cannot be read."""
        if line:
            name, _, value = line.partition(":")
            self._lines[name] = value.removeprefix(" ")
            return None
        lines, self._lines = self._lines, {}
        self._attempts, self._heard_at = 0, self._clock()
        found = self._read(lines) if "data" in lines else None
        self.after = lines.get("id", self.after)
        return found

    def pause_seconds(self, came: httpx.Response | httpx.RequestError | None) -> float:
        """How long to wait before the next stream is asked for. `came` is what ended the last one: an answer that is
        none, a lost connection, or None for the service's own end. Raises ClientError where it is over for good."""
        error = self._failure(came)
        self._attempts += 1
        pause = self._retries.pause_seconds(self._attempts, error, self._chance())
        patient = self._clock() + pause <= self._heard_at + self._retries.seconds_max
        if self._attempts >= self._retries.attempts_max or not patient or not may_pass(error, repeatable=True):
            raise error
        return pause

    def _failure(self, came: httpx.Response | httpx.RequestError | None) -> ClientError:
        if came is None:
            return Unreachable(f"{self._call.path}: the stream has ended", True)
        return failure_of(self._call, came)

    def _read(self, lines: dict[str, str]) -> Event:
        try:
            data = from_json(EventData, json.loads(lines["data"]))
            return Event(id=lines["id"], event=lines["event"], data=data)
        except (ValueError, KeyError) as error:
            raise UnexpectedAnswer(f"{self._call.path}: an event cannot be read: {error}", 200, None) from error
