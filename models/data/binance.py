"""Months of klines to one bar file per symbol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.domain.errors import InvalidInput, LemError
from models.data.archives import INTERVALS, Archive, archives_of, read_archive
from models.data.convert import Prepared, prepare, require_sound
from models.data.download import TIMEOUT_SECONDS, Downloader, Got, Patience
from models.data.raw import RawBars
from models.data.writing import write_all

Progress = Callable[[Archive, Got], None]


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
    patience: Patience = Patience()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of one symbol: its file and what is in it, or why there is none. `absent` are the months that the source lacks;
    `fetched` and `kept` count archives downloaded now and before."""

    symbol: str
    fetched: int
    kept: int
    absent: tuple[str, ...]
    problems: tuple[str, ...] = ()
    prepared: Prepared | None = None
    path: Path | None = None


async def download(request: Request, progress: Progress) -> list[Outcome]:
    """A symbol of which any month is broken or out of reach is not written; the others are, and all archives that came
    stay. Raises InvalidInput where the request itself cannot be met, before anything is asked for."""
    wanted = {
        symbol: archives_of(symbol, request.interval, request.first, request.last) for symbol in request.symbols
    }
    turn = asyncio.Semaphore(request.jobs)
    limits = httpx.Limits(max_connections=request.jobs)
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, limits=limits, follow_redirects=True) as client:
        downloader = Downloader(
            client=client, base_url=_checked(request.base_url), folder=request.cache, patience=request.patience
        )

        async def get(archive: Archive) -> Got | LemError:
            async with turn:
                try:
                    got = await downloader.get(archive)
                except LemError as error:
                    return error
            progress(archive, got)
            return got

        async def whole(symbol: str, archives: Sequence[Archive]) -> Outcome:
            answers = await asyncio.gather(*map(get, archives))
            return await asyncio.to_thread(_finish, request, downloader, symbol, dict(zip(archives, answers)))

        return list(await asyncio.gather(*(whole(symbol, archives) for symbol, archives in wanted.items())))


def _finish(request: Request, downloader: Downloader, symbol: str, answers: dict[Archive, Got | LemError]) -> Outcome:
    here = [archive for archive, answer in answers.items() if answer in (Got.FETCHED, Got.KEPT)]
    outcome = Outcome(
        symbol=symbol,
        fetched=list(answers.values()).count(Got.FETCHED),
        kept=list(answers.values()).count(Got.KEPT),
        absent=tuple(archive.month for archive, answer in answers.items() if answer == Got.ABSENT),
    )
    ...
