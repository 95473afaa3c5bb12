"""The application for tests that are no coroutines: its loop runs while a call is under way."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.api.conftest import serving


class Service:
    """The real application with its embedded store, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        self._runner.__enter__()
        self._runner.run(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._runner.run(self._close())
        self._runner.__exit__(kind, error, traceback)

    def restart(self) -> None:
        """It ends in order, and another one goes on with its folder."""
        self._runner.run(self._close())
        self._runner.run(self._open())

    def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self._runner.run(self._client.request(method, path, json=body))

    async def _open(self) -> None:
        opened: asyncio.Future[httpx.AsyncClient] = asyncio.get_running_loop().create_future()
        self._ending = asyncio.Event()
        self._serving = asyncio.create_task(self._serve(opened))
        either: list[asyncio.Future[Any]] = [opened, self._serving]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if self._serving.done():
            await self._serving
        self._client = opened.result()

    async def _serve(self, opened: asyncio.Future[httpx.AsyncClient]) -> None:
        async with serving(self._folder) as client:
            opened.set_result(client)
            await self._ending.wait()

    async def _close(self) -> None:
        self._ending.set()
        await self._serving
