"""A request's body that one reader reads first, and another one again from its beginning."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive


class SentTwice:
    """What `receive` gives. `again` gives the same messages, and the same refusal, as the first reader met."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._met: list[Message | HTTPException] = []

    async def body(self) -> bytes:
        """The whole body. Raises the HTTPException with which the body is refused."""
        parts: list[bytes] = []
        more = True
        while more:
            try:
                message = await self._receive()
            except HTTPException as refused:
                self._met.append(refused)
                raise
            self._met.append(message)
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        return b"".join(parts)

    async def again(self) -> Message:
        if not self._met:
            return await self._receive()
        met = self._met.pop(0)
        if isinstance(met, HTTPException):
            raise met
        return met
