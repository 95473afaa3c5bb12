"""One run of the bench: its sizes, and the processes that its cases share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from app.bench.book import Book
from app.bench.measured_process import MeasuredProcess
from app.bench.service import Service, StartTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured, apart from the number of orders. A round of calls goes to the service and one to a ceiling;
    `bars` are posted to a book, `polled_bars` to one that is polled, `flooded_bars` under each flood; `requests` have a
    bar of each of the `instruments`; a service starts `starts` times; `days` are those of the soak."""

    rounds: int = 15
    calls: int = 200
    bars: int = 9
    polled_bars: int = 5
    flooded_bars: int = 3
    requests: int = 3
    instruments: int = 1_000
    clients: int = 100
    starts: int = 3
    days: float = 30.0


QUICK = Sizes(
    rounds=3, calls=60, bars=3, polled_bars=2, flooded_bars=1, requests=1, instruments=8, clients=4, starts=1, days=0.02
)
"""Seconds in all: shows that every case works."""


class Run:
    """Use as a context manager: whatever happens, no process and no file of the run is left at its end.

    Books and ceilings are made when the first case asks for them, and kept for the others. `empty_starts` are those of
    all services that started on an empty folder. With `profiling`, `stacks` has a profile of all that is measured.
    `out` is a folder for what is drawn.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        bundle: Path | None = None,
        out: Path | None = None,
        profiling: bool = False,
        on_progress: Callable[[str], None],
    ) -> None:
        self.sizes = sizes
        self.out = out
        self.on_progress = on_progress
        self.stacks: Counter[str] = Counter()
        self.empty_starts: list[StartTime] = []
        self.model: str | None = None
        self._bundle = bundle
        self._profiling = profiling
        self._opened = ExitStack()
        self._folder = Path()
        self._books: dict[int, Book] = {}
        self._ceilings: MeasuredProcess | None = None

    def __enter__(self) -> Self:
        self._folder = Path(self._opened.enter_context(TemporaryDirectory(prefix="lem-bench-")))
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @contextmanager
    def service(self, name: str, workers: int = 1) -> Iterator[Service]:
        """A service that runs on an empty folder, called `name`."""
        stacks = self.stacks if self._profiling else None
        with Service(self._folder / name, bundle=self._bundle, workers=workers, stacks=stacks) as service:
            if workers == 1:
                self.empty_starts.append(service.start_time)
            self.model, _ = service.model()
            yield service

    def book(self, orders: int) -> Book:
        """A running service with so many working orders."""
        if orders not in self._books:
            self.on_progress(f"filling a service with {orders:,} working orders")
            service = self._opened.enter_context(self.service(f"book-{orders}"))
            self._books[orders] = Book.filled(service, orders)
        return self._books[orders]

    def any_book(self) -> Book:
        """For what does not depend on other orders: a book that is there, or an empty one."""
        return next(iter(self._books.values()), None) or self.book(0)

    def ceilings(self) -> MeasuredProcess:
        """The bare handlers, running."""
        if self._ceilings is None:
            folder = self._folder / "ceilings"
            self._ceilings = self._opened.enter_context(
                MeasuredProcess("app.bench.ceilings", str(folder), folder=folder)
            )
        return self._ceilings
