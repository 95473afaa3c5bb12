"""Sends deliveries to one address, over a connection that is kept. Redirects are not followed."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

ATTEMPT_SECONDS_MAX = 10.0
HEAD_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 64 * 1024
"""Of an answer that is read so that the connection can be used again; a longer one closes it."""
HTTPS_PORT, HTTP_PORT = 443, 80


class Undelivered(Exception):
    """No answer came. The message says why."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the address answered, and after how many seconds it wants to be asked again, where it says so."""

    status: int
    retry_after: float | None


class Sender:
    """One delivery at a time."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (HTTPS_PORT if self._tls else HTTP_PORT)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._named = parts.netloc
        self._stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Receipt:
        """Raises Undelivered."""
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS_MAX):
                return await self._posted(self._request(body, headers))
        except TimeoutError:
            self.close()
            raise Undelivered(f"no answer within {ATTEMPT_SECONDS_MAX:.0f} s") from None
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            self.close()
            raise Undelivered(f"{type(error).__name__}: {error}") from error
        except BaseException:
            self.close()  # half an exchange is left on it
            raise

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed already
                stream[1].close()

    async def _posted(self, request: bytes) -> Receipt:
        """A connection that was kept may have been closed by the other side meanwhile: then a new one is tried once."""
        if self._stream is not None:
            try:
                return await self._exchanged(request, *self._stream)
            except (OSError, EOFError):
                self.close()
        self._stream = await asyncio.open_connection(self._host, self._port, ssl=self._tls, limit=HEAD_BYTES_MAX)
        return await self._exchanged(request, *self._stream)

    async def _exchanged(self, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Receipt:
        writer.write(request)
        await writer.drain()
        status, headers = _read_head(await reader.readuntil(b"\r\n\r\n"))
        length = headers.get("content-length", "")
        kept = length.isdigit() and int(length[:10]) <= BODY_BYTES_MAX and headers.get("connection") != "close"
        if kept:
            await reader.readexactly(int(length))
        else:
            self.close()
        after = headers.get("retry-after", "")
        return Receipt(status, float(after[:9]) if after.isdigit() else None)

    def _request(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        told = {
            "host": self._named,
            "user-agent": "lem-webhooks",
            "content-type": "application/json",
            "content-length": str(len(body)),
            **headers,
        }
        lines = [f"POST {self._target} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items()), "", ""]
        return "\r\n".join(lines).encode("latin-1") + body


def _read_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Raises ValueError for what is no HTTP."""
    first, *lines = head.decode("latin-1").split("\r\n")
    version, status, *_ = f"{first} ".split(" ")
    if not version.startswith("HTTP/1.") or not status.isdigit():
        raise ValueError("the answer is not HTTP/1.1")
    pairs = (line.partition(":") for line in lines if line)
    return int(status[:3]), {name.strip().lower(): value.strip() for name, _, value in pairs}
