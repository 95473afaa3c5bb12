"""When a call is sent again, and when it is not. No network: what a service or a proxy may answer is written down."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from lem_client import (
    NO_RETRIES,
    Client,
    Health,
    InvalidInput,
    NotFound,
    NotPermitted,
    Refused,
    Retries,
    TooFast,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
)
from lem_client.calls import Call, delete_instrument, get_health
from lem_client.conversation import Came, Pause, conversation

ASKED = httpx.Request("GET", "http://lem/healthz")
DONE = httpx.Response(200, json={"status": "ok"}, request=ASKED)
LOST = httpx.ReadTimeout("no answer in time", request=ASKED)
NEVER_SENT = httpx.ConnectError("refused", request=ASKED)

ONCE: Call[Any] = Call(method="POST", path="/v1/once", read=lambda value: value, repeatable=False)
"""A call that does something each time that it comes."""


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    body = {"type": f"urn:lem:problem:{code}", "title": "t", "status": status, "detail": "d", "code": code}
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(
        status,
        content=json.dumps(body | {"instance": "/healthz"}),
        headers={"content-type": "application/problem+json", **headers},
        request=ASKED,
    )


def proxy_page(status: int) -> httpx.Response:
    return httpx.Response(status, html="<html>Bad Gateway</html>", request=ASKED)


def pauses(
    came: Sequence[Came], call: Call[Any] | None = None, retries: Retries | None = None, chance: float = 0.0
) -> tuple[Any, list[float]]:
    """The answer, and the seconds waited before each further time that the call was sent. Time passes in pauses only;
    each of `came` is what the call meets in turn."""
    waited: list[float] = []
    steps = conversation(call or get_health(), retries or Retries(), lambda: sum(waited), lambda: chance)
    left, come = list(came), None
    while True:
        try:
            step = steps.send(come)
        except StopIteration as end:
            assert left == []
            return end.value, waited
        come = None
        if isinstance(step, Pause):
            waited.append(step.seconds)
        else:
            come = left.pop(0)


def test_pauses_double_up_to_their_bound_and_chance_shortens_them() -> None:
    came = [LOST] * 6 + [DONE]

    assert pauses(came) == (Health(status="ok"), [0.2, 0.4, 0.8, 1.6, 3.2, 5.0])
    assert pauses(came, chance=0.5)[1] == pytest.approx([0.15, 0.3, 0.6, 1.2, 2.4, 3.75])


def test_no_pause_is_shorter_than_the_service_asks_for() -> None:
    busy = problem(503, "busy", retry_after="3")

    assert pauses([busy, DONE])[1] == [3.0]
    assert pauses([busy, DONE], chance=0.5)[1] == [3.1]


def test_retry_after_may_be_a_date() -> None:
    in_a_while = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)

    (pause,) = pauses([problem(503, "busy", retry_after=in_a_while), DONE])[1]

    assert 15 < pause <= 20


def test_a_call_is_given_up_after_so_many_times() -> None:
    with pytest.raises(Unavailable, match="503 busy: d"):
        pauses([problem(503, "busy")] * 3, retries=Retries(attempts_max=3))


def test_a_client_that_would_wait_too_long_says_at_once_how_long() -> None:
    with pytest.raises(Unavailable) as refused:
        pauses([problem(503, "bar_not_closed", retry_after="900")])

    assert refused.value.retry_after_seconds == 900


def test_a_client_without_patience_sends_a_call_once() -> None:
    with pytest.raises(Unreachable):
        pauses([LOST], retries=NO_RETRIES)


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 422])
def test_what_stays_wrong_is_not_sent_again(status: int) -> None:
    with pytest.raises(Refused):
        pauses([problem(status, "wrong")])


def test_a_call_that_cannot_be_repeated_is_not_sent_again_after_a_lost_answer() -> None:
    with pytest.raises(Unreachable) as lost:
        pauses([LOST], call=ONCE)
    with pytest.raises(Unavailable):
        pauses([problem(503, "store_unavailable")], call=ONCE)

    assert lost.value.may_have_arrived


@pytest.mark.parametrize("came", [NEVER_SENT, problem(429, "feed_too_fast")])
def test_even_that_call_is_sent_again_where_the_service_has_not_taken_it(came: Came) -> None:
    assert pauses([came, DONE], call=ONCE)[0] == {"status": "ok"}


def test_a_deletion_that_is_sent_again_and_finds_nothing_is_done_and_the_first_one_is_told() -> None:
    gone = problem(404, "unknown_instrument")

    assert pauses([LOST, gone], call=delete_instrument("BTC-USDT"))[0] is None
    with pytest.raises(NotFound):
        pauses([gone], call=delete_instrument("BTC-USDT"))
    with pytest.raises(NotFound):
        pauses([LOST, problem(404, "unknown_path")], call=delete_instrument("BTC-USDT"))


def test_the_page_of_a_proxy_is_no_answer_and_the_call_is_sent_again() -> None:
    assert pauses([proxy_page(502), DONE])[0] == Health(status="ok")
    with pytest.raises(UnexpectedAnswer, match="the answer 502 cannot be read"):
        pauses([proxy_page(502)], retries=NO_RETRIES)


def test_an_answer_of_another_service_is_told_and_not_guessed() -> None:
    with pytest.raises(UnexpectedAnswer, match="GET /healthz: the answer 200 cannot be read: it is no Health"):
        pauses([httpx.Response(200, json={"state": "ok"}, request=ASKED)])


@pytest.mark.parametrize(
    ("status", "kind"), [(401, NotPermitted), (403, NotPermitted), (422, InvalidInput), (429, TooFast), (418, Refused)]
)
def test_each_status_has_its_exception(status: int, kind: type[Refused]) -> None:
    with pytest.raises(Refused) as refused:
        pauses([problem(status, "some_code", x_request_id="abc")], retries=NO_RETRIES)

    assert type(refused.value) is kind
    assert (refused.value.code, refused.value.detail, refused.value.pointer) == ("some_code", "d", None)
    assert refused.value.request_id == "abc"


@pytest.mark.parametrize("came", [problem(503, "busy", retry_after="3"), LOST, proxy_page(502)])
def test_an_error_survives_the_way_between_processes(came: Came) -> None:
    with pytest.raises((Refused, Unreachable, UnexpectedAnswer)) as failed:
        pauses([came], retries=NO_RETRIES)

    copied = pickle.loads(pickle.dumps(failed.value))  # noqa: S301 -- made here

    assert (type(copied), str(copied), vars(copied)) == (type(failed.value), str(failed.value), vars(failed.value))


def test_the_client_that_waits_sends_again_too_with_its_key() -> None:
    """Its own transport stands for the network: the first two answers are refusals."""
    keys: list[str] = []

    def answered(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["authorization"])
        return DONE if len(keys) == 3 else problem(503, "overloaded")

    retries = Retries(first_pause_seconds=0.001)
    with Client("http://lem", api_key="secret", retries=retries, transport=httpx.MockTransport(answered)) as lem:
        assert lem.get_health() == Health(status="ok")

    assert keys == ["Bearer secret"] * 3
    assert "secret" not in repr(lem)


def test_the_client_that_waits_goes_on_from_page_to_page_as_it_is_read() -> None:
    """Its own transport stands for the network: two pages of bars."""
    bar: dict[str, Any] = dict.fromkeys(("open", "high", "low", "close", "volume"), "1")
    bar |= {"close_time": "2025-01-06T14:30:00Z", "notional": None, "trades": None, "synthetic": False}
    opens = ["2025-01-06T14:15:00Z", "2025-01-06T14:00:00Z"]
    asked: list[dict[str, str]] = []

    def answered(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        open_time, following = (opens[0], opens[0]) if len(asked) == 1 else (opens[1], None)
        return httpx.Response(200, json={"bars": [bar | {"open_time": open_time}], "next_before": following})

    with Client("http://lem", transport=httpx.MockTransport(answered)) as lem:
        found = lem.list_bars("BTC-USDT", page_size=1)
        first, before_the_second = next(found), list(asked)
        second = next(found)

    assert before_the_second == [{"instrument": "BTC-USDT", "limit": "1"}]
    assert asked[1] == {"instrument": "BTC-USDT", "limit": "1", "before": opens[0]}
    assert first.open_time > second.open_time
    assert next(found, None) is None
