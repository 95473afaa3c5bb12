"""One metrics page of all workers: whichever of them is scraped asks the others, on sockets that only they can open.

Each series says in the label `worker` whose it is: counters of one process never take the place of another's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from app.workers.place import Place

ASKED_SECONDS_MAX = 5.0
"""A worker that hangs is left out, and shown as down."""
UP = "# HELP lem_worker_up 1 while the worker answers\n# TYPE lem_worker_up gauge"

Scrape = Callable[[], Awaitable[bytes]]


class Pages:
    """`own` is the page of this worker alone."""

    def __init__(self, place: Place, own: Scrape) -> None:
        self._place = place
        self._own = own

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Tell the other workers while open."""
        path = self._socket(self._place.number)
        path.unlink(missing_ok=True)  # of a worker that was killed
        server = await asyncio.start_unix_server(self._tell, path)
        try:
            yield
        finally:
            server.close()

    async def all(self) -> bytes:
        """The page of all workers."""
        numbers = range(self._place.count)
        pages = await asyncio.gather(*map(self._page, numbers))
        return merged(dict(zip(numbers, pages, strict=True))).encode()

    async def _page(self, number: int) -> str | None:
        if number == self._place.number:
            return (await self._own()).decode()
        try:
            async with asyncio.timeout(ASKED_SECONDS_MAX):
                reader, writer = await asyncio.open_unix_connection(self._socket(number))
                try:
                    return (await reader.read()).decode() or None
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return None

    async def _tell(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(await self._own())
            await writer.drain()
        except ConnectionError:  # who asked is gone
            pass
        finally:
            writer.close()

    def _socket(self, number: int) -> Path:
        return self._place.folder / f"{number}.sock"


def merged(pages: Mapping[int, str | None]) -> str:
    """Pages in Prometheus' text format as one, each series with the label of its worker; None for a worker that does
    not answer."""
    up = [_labelled(f"lem_worker_up {int(page is not None)}", number) for number, page in pages.items()]
    families: dict[str, list[str]] = {UP: up}
    for number, page in pages.items():
        help_text, samples = "", list[str]()
        for line in (page or "").splitlines():
            if line.startswith("# HELP"):
                help_text = line
            elif line.startswith("#"):
                samples = families.setdefault(f"{help_text}\n{line}", [])
            else:
                samples.append(_labelled(line, number))
    return "".join("\n".join((header, *samples, "")) for header, samples in families.items())


def _labelled(sample: str, number: int) -> str:
    name, brace, labels = sample.partition("{")
    if brace:
        return f'{name}{{worker="{number}",{labels}'
    name, _, value = sample.partition(" ")
    return f'{name}{{worker="{number}"}} {value}'
