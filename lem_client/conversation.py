"""What a client does until a call is answered, without the network: `Client` and `AsyncClient` each send and wait in
their own way."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from random import random
from time import monotonic
from typing import Any, TypeVar

import httpx

from lem_client.calls import Call
from lem_client.errors import KINDS, ClientError, Problem, Refused, UnexpectedAnswer, Unreachable
from lem_client.json_values import from_json
from lem_client.retries import Retries, may_pass

T = TypeVar("T")

PROBLEM = "application/problem+json"
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait before the call is sent again."""

    seconds: float


Step = Call[Any] | Pause
"""What the caller is to do: send the call and hand in what came of it, or wait and hand in None."""
Came = httpx.Response | httpx.RequestError | None


def conversation(
    call: Call[T], retries: Retries, clock: Callable[[], float] = monotonic, chance: Callable[[], float] = random
) -> Generator[Step, Came, T]:
    """Yields what is to be done next, and returns the answer. Raises ClientError when the call has failed for good, or
    may not be sent again."""
    deadline = clock() + retries.seconds_max + call.wait_seconds
    for attempts in count(1):
        came = yield call
        try:
            return _answer(call, came)
        except ClientError as error:
            if attempts > 1 and isinstance(error, Refused) and error.code == call.done_code:
                return call.read(None)
            pause_seconds = retries.pause_seconds(attempts, error, chance())
            patient = attempts < retries.attempts_max and clock() + pause_seconds <= deadline
            if not patient or not may_pass(error, repeatable=call.repeatable):
                raise
        yield Pause(pause_seconds)
    raise AssertionError("unreachable: the loop has no end")


def failure_of(call: Call[Any], came: httpx.Response | httpx.RequestError) -> ClientError:
    """Why that is no stream of the call."""
    try:
        _answer(call, came)
    except ClientError as error:
        return error
    if isinstance(came, httpx.Response):
        return _unexpected(came, "it is no stream")
    raise AssertionError("unreachable: a lost connection is no answer")


def _answer(call: Call[T], came: Came) -> T:
    if not isinstance(came, httpx.Response):
        detail = f"{call.method} {call.path}: {came or type(came).__name__}"
        raise Unreachable(detail, not isinstance(came, NEVER_SENT)) from came
    kind = came.headers.get("content-type", "").partition(";")[0].strip().lower()
    if came.is_success or (came.status_code in call.answers and kind == "application/json"):
        return _read(call.read, came)
    if kind == PROBLEM:
        raise _refused(_read(_problem, came), came)
    raise _unexpected(came, "neither an answer of the service nor a problem")


def _read(read: Callable[[Any], T], response: httpx.Response) -> T:
    try:
        return read(response.json() if response.content else None)
    except (ValueError, TypeError, KeyError) as error:
        raise _unexpected(response, str(error)) from error


def _problem(value: Any) -> Problem:
    return from_json(Problem, value)


def _refused(problem: Problem, response: httpx.Response) -> Refused:
    kind = KINDS.get(problem.status, Refused)
    return kind(problem, response.headers.get("x-request-id"), _retry_after_seconds(response))


def _unexpected(response: httpx.Response, why: str) -> UnexpectedAnswer:
    asked = response.request
    detail = f"{asked.method} {asked.url.path}: the answer {response.status_code} cannot be read: {why}"
    return UnexpectedAnswer(detail, response.status_code, _retry_after_seconds(response))


def _retry_after_seconds(response: httpx.Response) -> float | None:
    """Seconds, or the time until a date: a header may give either."""
    told = response.headers.get("retry-after", "").strip()
    if told.isdigit():
        return float(told)
    try:
        return max(0.0, (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):  # no date, or one without a zone
        return None
