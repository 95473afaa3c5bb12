"""Binance's public layout, served on the loopback."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from models.data.archives import Archive

MILLISECONDS, MICROSECONDS = 1_000, 1_000_000
CUT, STALL = "cut", "stall"
"""Instead of a status: the connection ends half way through the answer, or nothing comes until `go_on` is set."""

HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore"
)  # fmt: skip


def month_start(month: str) -> int:
    return int(datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC).timestamp())


def a_month(month: str = "2024-01", *, bars: int = 4, parts: int = MILLISECONDS, header: bool = False) -> bytes:
    """The first quarters of an hour of a month, as Binance writes them."""
    lines = [HEADER] if header else []
    for index in range(bars):
        opens = (month_start(month) + 900 * index) * parts
        lines.append(f"{opens},1.10,1.30,1.00,1.20,10.0,{opens + 900 * parts - 1},11.5,{index + 1},5.0,5.7,0")
    return ("\n".join(lines) + "\n").encode()


def a_zip(*contents: bytes, name: str = "BTCUSDT-15m-2024-01.csv") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for index, content in enumerate(contents):
            archive.writestr(f"{index or ''}{name}", content)
    return packed.getvalue()


def an_archive(month: str = "2024-01", symbol: str = "BTCUSDT") -> Archive:
    return Archive(symbol=symbol, interval="15m", month=month)


@dataclass(slots=True, kw_only=True)
class Host:
    """What is served: `files` by their path, and before them the `troubles` of a path, each once. `asked` are the
    paths of all requests in order."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    troubles: dict[str, list[int | str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    stalled: Event = field(default_factory=Event)
    go_on: Event = field(default_factory=Event)

    def publish(self, archive: Archive, packed: bytes, checksum: str | None = None) -> str:
        """The path of the zip; its checksum is the right one unless given."""
        digest = hashlib.sha256(packed).hexdigest() if checksum is None else checksum
        self.files[archive.path] = packed
        self.files[f"{archive.path}.CHECKSUM"] = f"{digest}  {archive.path.rpartition('/')[2]}\n".encode()
        return archive.path

    def publish_months(self, *months: str, symbol: str = "BTCUSDT") -> list[str]:
        return [self.publish(an_archive(month, symbol), a_zip(a_month(month))) for month in months]

    def zips_asked(self) -> list[str]:
        return [path for path in self.asked if path.endswith(".zip")]


class Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are part of the tests; any other error is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def a_host() -> Iterator[Host]:
    host = Host()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.lstrip("/")
            host.asked.append(path)
            trouble = host.troubles[path].pop(0) if host.troubles.get(path) else None
            if trouble == STALL:
                host.stalled.set()
                host.go_on.wait(60.0)
                return
            content = host.files.get(path)
            status = trouble if isinstance(trouble, int) else 404 if content is None else 200
            body = content if status == 200 and content is not None else b"no"
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if trouble == CUT else body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base's
            """Quiet."""

    with Server(("127.0.0.1", 0), Handler) as server:
        host.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield host
        finally:
            host.go_on.set()
            server.shutdown()
            thread.join()
