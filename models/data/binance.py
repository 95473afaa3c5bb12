"""Download months of klines and write one bar file per symbol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from app.domain.errors import InvalidInput, LemError
from models.data.archives import INTERVALS, Archive, archives_of, read_archive
from models.data.convert import Prepared, prepare, require_sound
from models.data.download import SOURCE_DOWN, TIMEOUT_SECONDS, Downloader, Got, Patience
from models.data.raw import RawBars
from models.data.wording import length_of
from models.data.writing import write_all

AS_IT_IS = {"Accept-Encoding": "identity"}
"""The checksum is of the archive's own bytes."""

OnArchive = Callable[[], None]
"""Called once for each archive that is here now, or that the source does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to download: months `first`..`last` (`2024-01`), both included, `jobs` archives at a time."""

    symbols: tuple[str, ...]
    interval: str
    first: str
    last: str
    base_url: str
    cache: Path
    out: Path
    jobs: int = 4
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolResult:
    """The bar file of one symbol and what is in it, or the problems for which there is none. `absent` are the months
    that the source lacks; `fetched` and `kept` count the archives downloaded now and before."""

    symbol: str
    fetched: int
    kept: int
    absent: tuple[str, ...]
    problems: tuple[str, ...] = ()
    prepared: Prepared | None = None
    path: Path | None = None


async def download(request: Request, on_archive: OnArchive) -> list[SymbolResult]:
    """Download all symbols and write their bar files.

    A symbol of which any month is broken or out of reach is not written. The other symbols are, and all archives that
    came are kept. Raises InvalidInput where the request itself cannot be met, before anything is asked for.
    """
    symbols = dict.fromkeys(request.symbols)
    wanted = {symbol: archives_of(symbol, request.interval, request.first, request.last) for symbol in symbols}
    base_url = _checked(request.base_url)
    limits = httpx.Limits(max_connections=request.jobs)
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, limits=limits, headers=AS_IT_IS) as client:
        source = Downloader(client=client, base_url=base_url, folder=request.cache, patience=request.patience)
        turns = Turns(source, request.jobs, on_archive)
        whole = (_symbol(request, turns, symbol, archives) for symbol, archives in wanted.items())
        return list(await asyncio.gather(*whole))


class Turns:
    """Downloads at most `jobs` archives at a time. Once the source is down for one archive, no other is asked for: each
    would wait as long for the same answer."""

    def __init__(self, source: Downloader, jobs: int, on_archive: OnArchive) -> None:
        self.source = source
        self._turn = asyncio.Semaphore(jobs)
        self._on_archive = on_archive
        self._down: LemError | None = None

    async def get(self, archive: Archive) -> Got | LemError:
        async with self._turn:
            if self._down:
                return self._down
            try:
                got = await self.source.get(archive)
            except LemError as error:
                self._down = error if error.code == SOURCE_DOWN else None
                return error
        self._on_archive()
        return got


async def _symbol(request: Request, turns: Turns, symbol: str, archives: Sequence[Archive]) -> SymbolResult:
    answers = dict(zip(archives, await asyncio.gather(*map(turns.get, archives)), strict=True))
    result = SymbolResult(
        symbol=symbol,
        fetched=sum(answer is Got.FETCHED for answer in answers.values()),
        kept=sum(answer is Got.KEPT for answer in answers.values()),
        absent=tuple(archive.month for archive, answer in answers.items() if answer is Got.ABSENT),
        problems=tuple(dict.fromkeys(str(answer) for answer in answers.values() if isinstance(answer, LemError))),
    )
    if result.problems:
        return result
    here = [archive for archive, answer in answers.items() if answer is not Got.ABSENT]
    try:
        prepared = await asyncio.to_thread(_prepare, turns.source, symbol, here)
        (path,) = await asyncio.to_thread(write_all, request.out, [prepared.series])
    except (LemError, OSError) as error:
        return replace(result, problems=(str(error),))
    return replace(result, prepared=prepared, path=path)


def _prepare(source: Downloader, symbol: str, archives: Sequence[Archive]) -> Prepared:
    if not archives:
        raise InvalidInput("no_archives", f"the source has no {symbol} in any of these months")
    prepared = prepare(symbol, [_read(source, archive) for archive in archives])
    interval = archives[0].interval
    if prepared.series.bar_seconds != INTERVALS[interval]:
        length = length_of(prepared.series.bar_seconds)
        raise InvalidInput("wrong_interval", f"{symbol}: the archives of {interval} hold bars of {length}")
    return prepared


def _read(source: Downloader, archive: Archive) -> RawBars:
    """The bars of an archive that is here. A broken archive is not kept even if its checksum agrees: the next run asks
    for it again."""
    try:
        raw = read_archive(source.path_of(archive), archive)
        require_sound(archive.path, raw)
    except InvalidInput:
        source.forget(archive)
        raise
    return raw


def _checked(base_url: str) -> str:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise InvalidInput("bad_base_url", f"--base-url {base_url}: {error}") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise InvalidInput("bad_base_url", f"--base-url {base_url}: write http://HOST or https://HOST")
    return base_url.rstrip("/")
