"""What happens to requests around their routes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from app.api.middleware import AnsweredAtTheEnd

SCOPE: Scope = {"type": "http", "method": "GET", "path": "/a", "headers": [], "query_string": b"", "server": ("lem", 1)}


async def nothing_comes() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def cut(application: Any) -> list[Message]:
    """What the application sends when its request is cancelled, as the server does when its time is over."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    task = asyncio.create_task(AnsweredAtTheEnd(application)(SCOPE, nothing_comes, send))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    return sent


async def test_a_request_that_is_cut_is_answered_with_a_problem() -> None:
    async def never(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()

    start, body = await cut(never)

    assert start["status"] == 503
    assert dict(start["headers"])[b"retry-after"] == b"1"
    assert json.loads(body["body"])["code"] == "shutting_down"


async def test_an_answer_under_way_is_not_answered_again() -> None:
    async def half(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await receive()

    assert [message.get("status") for message in await cut(half)] == [200]
