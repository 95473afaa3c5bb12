"""Runs the application on a socket until a signal ends it."""

from __future__ import annotations

import gc
import signal
import socket
from collections.abc import Callable
from ipaddress import ip_address

import uvicorn
from fastapi import FastAPI

from app.access.access import Reach
from app.api.bar_stream.protocol import PING_SECONDS, stream_connection_class
from app.api.bar_stream.window import MESSAGE_BYTES_MAX
from app.api.connections import connection_class
from app.api.places import Places, raised_files_max
from app.logs.json_lines import log_as_json
from app.main import CannotStart, create_app
from app.settings import Settings
from app.workers.place import Place

COLLECTED_AFTER = (50_000, 20, 20)
"""New objects before the youngest are searched for circles, and such searches before older ones are."""
SHUTDOWN_SECONDS_MAX = 3
"""How long open requests may last once a signal has come. Long polls are answered at once; what is still under way
after that is answered 503."""


def run(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT, then close all parts and return. Port 0 takes a free port. Raises CannotStart."""
    log_as_json(settings.log_level)
    with _listen(host, port) as listening:
        line = listening_line(address_of(listening))
        run_on(listening, settings, lambda: print(line, flush=True))  # noqa: T201 -- whoever started it waits for it


def run_on(
    listening: socket.socket, settings: Settings, on_ready: Callable[[], None], place: Place | None = None
) -> None:
    """As `run`, on a socket that listens; calls `on_ready` once requests are answered. `place` is that of a worker."""
    server = _Server(settings, on_ready, place, reach_of(listening))
    # Uvicorn raises the signal again once it has ended: without a handler that would kill us before all is closed.
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, server.handle_exit)
    server.run(sockets=[listening])


def server_config(application: FastAPI, places: Places) -> uvicorn.Config:
    """How uvicorn serves the application, on connections that share these places. Streams are not compressed: a few
    bytes would become many, and bars are small."""
    return uvicorn.Config(
        application,
        lifespan="off",
        ws=stream_connection_class(places),
        ws_max_size=MESSAGE_BYTES_MAX,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
        http=connection_class(places),
        backlog=places.backlog,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS_MAX,
    )


def address_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def reach_of(listening: socket.socket) -> Reach:
    """Who can reach the socket."""
    address = ip_address(listening.getsockname()[0].partition("%")[0])
    return Reach.LOOPBACK if address.is_loopback else Reach.NETWORK


def listening_line(address: str) -> str:
    return f"listening on {address}"


class _Server(uvicorn.Server):
    """Opens the application before it listens, so that what keeps it from starting reaches the caller as it is, and
    tells once it does."""

    def __init__(self, settings: Settings, on_ready: Callable[[], None], place: Place | None, reach: Reach) -> None:
        self._application = create_app(settings, place, reach)
        self._on_ready = on_ready
        places = Places(raised_files_max(), self._application.state.metrics)
        super().__init__(server_config(self._application, places))

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        async with self._application.router.lifespan_context(self._application):
            _collect_seldom()
            await super().serve(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Long polls are answered now: there is no slice to wait for any more. Streams of events end."""
        self._application.state.services.engine.release_waiters()
        self._application.state.services.tail.close()
        self._application.state.services.news.close()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()


def _collect_seldom() -> None:
    """A bar replaces ten thousand orders by new ones, and hardly anything of ours is garbage in a circle: with Python's
    own thresholds the search for it takes a seventh of the bar's time. What is there by now stays for good."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise CannotStart(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
