"""Pools of connections to one server, or to the master that sentinels name; commands are written with hiredis."""

from __future__ import annotations

from asyncio import StreamWriter
from typing import Any, cast

from hiredis import pack_command
from redis.asyncio import BlockingConnectionPool, ConnectionPool
from redis.asyncio.connection import AbstractConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.backoff import NoBackoff

from app.store.urls import URL_FORMS, StoreUrl

TIMEOUT_SECONDS = 5.0
SENTINEL_TIMEOUT_SECONDS = 1.0
"""Sentinels are asked one after the other until one knows the master."""
CONNECTIONS_MAX = 64
WRITTEN_AT_ONCE_MAX = 64 * 1024
"""Bytes, as many as a connection holds before somebody must wait for its server."""


class _Packing(AbstractConnection):
    """A connection that writes its commands with hiredis, which takes a thirtieth of the time. redis-py uses hiredis
    for what it reads, and in asyncio for nothing else."""

    def pack_command(self, *args: Any) -> list[bytes]:
        try:
            name, *rest = args
            return [pack_command((*name.split(), *rest))]
        except (TypeError, UnicodeError):  # redis-py knows more types, and replaces what is no text
            return super().pack_command(*args)

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """redis-py waits for each command in a task of its own, lest a server that does not read holds it up. What the
        buffer takes is written at once here."""
        writer = self._writer
        if writer is not None and isinstance(command, list) and _takes(writer, sum(map(len, command))):
            writer.writelines(command)
        else:
            await cast("Any", super()).send_packed_command(command, check_health)


def _takes(writer: StreamWriter, size: int) -> bool:
    return not writer.transport.get_write_buffer_size() and size <= WRITTEN_AT_ONCE_MAX


def _packing(connection: type[AbstractConnection]) -> type[AbstractConnection]:
    return type(f"Packing{connection.__name__}", (_Packing, connection), {})


class _SentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """Asks the sentinels for the master whenever it connects. Requests beyond its connections wait for one."""


def _options() -> dict[str, Any]:
    """A failed call is tried again once, at once: a restarted server has closed the pool's connections, and everything
    that is sent can be sent twice. Requests beyond `CONNECTIONS_MAX` wait for a connection."""
    return {
        "decode_responses": True,
        "encoding_errors": "replace",  # one value that is no text must not end the answer that it travels in
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
        "max_connections": CONNECTIONS_MAX,
        "timeout": TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 1),
    }


def pool_at(url: str) -> ConnectionPool:
    """Of the one server at the url. Raises ValueError, which never repeats the password."""
    try:
        pool = BlockingConnectionPool.from_url(url, **_options())
        return _checked(pool)
    except (ValueError, TypeError):  # their texts hold parts of the url
        raise ValueError(URL_FORMS) from None


def sentinel_pool(url: StoreUrl) -> ConnectionPool:
    """Of the master that the sentinels name. The login of the url is the master's; `sentinel_username` and
    `sentinel_password` among its options are the sentinels' own. Raises as `pool_at`."""
    try:
        options: dict[str, Any] = {**parse_url(url.at(url.hosts[0]))}
        asking = {
            name.removeprefix("sentinel_"): options.pop(name)
            for name in ("sentinel_username", "sentinel_password")
            if name in options
        }
        for name in ("host", "port"):
            options.pop(name)
        tls = options.pop("connection_class", None) is not None
        asking |= {name: value for name, value in options.items() if name.startswith("ssl_")}
        sentinel = cast("Any", Sentinel)(
            url.hosts,
            sentinel_kwargs={
                **asking,
                "ssl": tls,
                "decode_responses": True,
                "socket_timeout": SENTINEL_TIMEOUT_SECONDS,
                "socket_connect_timeout": SENTINEL_TIMEOUT_SECONDS,
                "retry": Retry(NoBackoff(), 0),
            },
        )
        connection = SentinelManagedSSLConnection if tls else SentinelManagedConnection
        pool = cast("Any", _SentinelPool)(
            url.service, sentinel, **{**_options(), **options, "connection_class": connection}
        )
        return _checked(pool)
    except (ValueError, TypeError):
        raise ValueError(URL_FORMS) from None


async def close_sentinels(pool: ConnectionPool) -> None:
    """The pool's connections to sentinels, where it has some."""
    if isinstance(pool, _SentinelPool):
        for sentinel in pool.sentinel_manager.sentinels:
            await sentinel.aclose()


def _checked(pool: ConnectionPool) -> ConnectionPool:
    pool.connection_class = _packing(pool.connection_class)
    cast("Any", pool).make_connection()  # an option that does not exist would only show at the first call
    return pool
