"""A small HTTP client whose requests can be given up, as an OMS does that has waited for long enough."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any


class Lost(Exception):
    """The connection ended before the answer was complete: what was asked for may be done or not."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: Any


@dataclass(slots=True)
class Client:
    """Keeps connections open between requests, one for each request that is under way."""

    host: str
    port: int
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)
    _busy: set[asyncio.StreamWriter] = field(default_factory=set)
    _closed: bool = False

    async def ask(self, method: str, path: str, body: Any = None) -> Reply:
        """Once; raises Lost."""
        try:
            reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection(self.host, self.port)
        except OSError as error:
            raise Lost from error
        self._busy.add(writer)
        try:
            writer.write(_request(method, path, body))
            reply = await _reply(reader)
        except (OSError, EOFError) as error:
            writer.close()
            raise Lost from error
        except BaseException:
            writer.close()
            raise
        finally:
            self._busy.discard(writer)
        if self._closed:
            writer.close()
        else:
            self._idle.append((reader, writer))
        return reply

    def give_up(self) -> None:
        """Close the connections of all requests that are under way: they raise Lost."""
        for writer in self._busy:
            writer.transport.abort()

    def close(self) -> None:
        self._closed = True
        self.give_up()
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()


def _request(method: str, path: str, body: Any) -> bytes:
    text = json.dumps(body).encode() if body is not None else b""
    kind = b"content-type: application/json\r\n" if body is not None else b""
    head = f"{method} {path} HTTP/1.1\r\nhost: lem\r\ncontent-length: {len(text)}\r\n".encode()
    return head + kind + b"\r\n" + text


async def _reply(reader: asyncio.StreamReader) -> Reply:
    """Raises EOFError (IncompleteReadError is one) where the answer breaks off."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = next(line.partition(":")[2] for line in head.split("\r\n") if line.startswith("content-length:"))
    text = await reader.readexactly(int(length))
    return Reply(int(head.split(" ", 2)[1]), json.loads(text))
