"""Pools of connections to one server, or to the master that sentinels name; commands are written with hiredis."""

from __future__ import annotations

from asyncio import StreamWriter
from collections.abc import Iterable
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
from redis.exceptions import ConnectionError as RedisConnectionError

from app.store.urls import URL_FORMS, StoreUrl

TIMEOUT_SECONDS = 5.0
SENTINEL_TIMEOUT_SECONDS = 1.0
"""Sentinels are asked one after the other until one knows the master."""
CONNECTIONS_MAX = 64


class _Packing(AbstractConnection):
    """A connection that writes its commands with hiredis, which takes a thirtieth of the time. redis-py uses hiredis
    for what it reads, and in asyncio for nothing else. What the connection's buffer has room for is written at once:
    redis-py starts a task, which can wait for a server that reads slowly, for every command."""

    def pack_command(self, *args: Any) -> list[bytes]:
        try:
            name, *rest = args
            return [pack_command((*name.split(), *rest))]
        except (TypeError, UnicodeError):  # redis-py knows more types, and replaces what is no text
            return super().pack_command(*args)

    async def send_packed_command(self, command: bytes | str | Iterable[bytes], check_health: bool = True) -> None:
        writer = self._writer
        if writer is not None and writer.transport.is_closing():
            raise await self._closed()
        if writer is None or self.health_check_interval or not isinstance(command, list) or not _takes(writer, command):
            try:
                await super().send_packed_command(command, check_health)
            except RuntimeError as error:
                raise await self._closed() from error
            return
        writer.writelines(command)

    async def _closed(self) -> RedisConnectionError:
        """The server has closed the connection. uvloop tells that by a RuntimeError, which redis-py lets through: who
        listens for notices would be told of a bug, and listen no more."""
        await self.disconnect(nowait=True)
        return RedisConnectionError("the server has closed the connection")


def _takes(writer: StreamWriter, command: Iterable[bytes]) -> bool:
    """Whether the buffer has room for the command."""
    _, full = writer.transport.get_write_buffer_limits()
    return writer.transport.get_write_buffer_size() + sum(map(len, command)) <= full


class _Pool(BlockingConnectionPool):
    """Gives a connection that is free at once, without a lock and a timer: nobody awaits one then."""

    async def get_connection(self, command_name: Any = None, *keys: Any, **options: Any) -> Any:
        pool = cast("Any", super())
        if self._in_maintenance or not self.can_get_connection():
            return await pool.get_connection()
        connection = pool.get_available_connection()
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection


def _packing(connection: type[AbstractConnection]) -> type[AbstractConnection]:
    return type(f"Packing{connection.__name__}", (_Packing, connection), {})


class _SentinelPool(SentinelConnectionPool, _Pool):
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
        pool = _Pool.from_url(url, **_options())
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
