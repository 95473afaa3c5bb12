"""Bundles side by side: the folders in which they lie, and what became of their checks.

A bundle is checked and its golden cases are replayed once, when it is first seen, and again after its files have
changed. What the checks have loaded is not kept: a bundle that decides nothing takes no memory but its card's figures.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from pydantic_core import from_json

from app.bundles.bundle import LemPolicy, load_bundle
from app.bundles.card import CARD_FILE, Card
from app.bundles.chains import chain_of
from app.bundles.errors import BundleError
from app.decision.chain import PolicyChain
from app.domain.errors import Conflict

LOG = logging.getLogger(__name__)
BUNDLES_MAX = 256
"""Of one folder: what is beyond them is left out, by name."""
LOOKBACK_MAX = 10_000
"""Bars. The store keeps no more of an instrument without being told."""
LONG_PARTS = frozenset({"golden", "calibration"})
"""Of a card: they are long, and nobody asks for them with the list of the bundles."""

Signature = tuple[tuple[str, int, int], ...]
"""Names, sizes and times of change of a bundle's files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """A bundle in `folder`. `name` is what slices record as `model`, and the folder's name where the bundle has failed
    its checks; `problem` then says why, and `card` is empty. `own` is the bundle that the service was started with."""

    name: str
    folder: Path
    card: Mapping[str, Any]
    problem: str | None = None
    own: bool = False


class Catalogue:
    """`own` is the bundle that is loaded already, from `own_folder`; `shelves` are folders with a bundle in each of
    their folders. `load` loads and checks a bundle. Several threads may ask: they look one after the other."""

    def __init__(
        self,
        own: LemPolicy,
        own_folder: Path,
        shelves: Sequence[Path],
        load: Callable[[Path], LemPolicy] = load_bundle,
    ) -> None:
        self._own_folder = own_folder.resolve()
        self._own_entry = CatalogueEntry(name=own.name, folder=self._own_folder, card=brief_card(own.card), own=True)
        self._shelves = shelves
        self._load = load
        self._seen: dict[Path, tuple[Signature, CatalogueEntry]] = {}
        self._looking = Lock()

    def entries(self) -> list[CatalogueEntry]:
        """Every bundle that is there now, the service's own first. May take a tenth of a second for each one that is
        new. Of two folders with the same bundle the first one counts."""
        with self._looking:
            found = [self._own_entry, *map(self._entry, self._folders())]
        return list({entry.name: entry for entry in reversed(found)}.values())[::-1]

    def chain(self, entry: CatalogueEntry) -> PolicyChain:
        """Load the bundle. Raises BundleError where it is no longer what was checked."""
        policy = self._load(entry.folder)
        if policy.name != entry.name:
            raise BundleError(f"{entry.folder} holds {policy.name} now, not {entry.name}")
        return chain_of(policy)

    def whole_card(self, entry: CatalogueEntry) -> Card:
        """The card with its long parts, read anew. Raises Conflict("model_refused") where it is no longer right."""
        try:
            return self._load(entry.folder).card
        except BundleError as error:
            raise Conflict("model_refused", f"{entry.name} does not serve: {error}") from error

    def _folders(self) -> Iterator[Path]:
        for shelf in self._shelves:
            try:
                inside = sorted(each for each in shelf.resolve().iterdir() if (each / CARD_FILE).is_file())
            except OSError as error:
                LOG.warning("the folder of bundles %s cannot be read: %s", shelf, error.strerror)
                continue
            yield from (each for each in inside[:BUNDLES_MAX] if each != self._own_folder)

    def _entry(self, folder: Path) -> CatalogueEntry:
        signature = _signature(folder)
        known = self._seen.get(folder)
        if known is not None and known[0] == signature:
            return known[1]
        entry = self._checked(folder)
        self._seen[folder] = signature, entry
        return entry

    def _checked(self, folder: Path) -> CatalogueEntry:
        try:
            policy = self._load(folder)
        except BundleError as error:
            LOG.warning("the bundle in %s does not serve: %s", folder, error)
            return CatalogueEntry(name=folder.name, folder=folder, card={}, problem=str(error))
        return CatalogueEntry(name=policy.name, folder=folder, card=brief_card(policy.card))


def longest_lookback(shelves: Sequence[Path]) -> int:
    """The most bars that a bundle on the shelves says that it reads; 0 where there is none. Only what its card says of
    that is read: a service keeps so many bars from its start on, so that each of them can be activated."""
    found = [_lookback(card) for shelf in shelves for card in sorted(shelf.glob(f"*/{CARD_FILE}"))[:BUNDLES_MAX]]
    return max(found, default=0)


def _lookback(card: Path) -> int:
    """0 for a card that cannot be read: such a bundle will not serve."""
    try:
        lookback = from_json(card.read_bytes())["lookback"]  # in a quarter of the time of json: cards have tables
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    return lookback if isinstance(lookback, int) and lookback <= LOOKBACK_MAX else 0


def brief_card(card: Card) -> dict[str, Any]:
    """The card without its long parts."""
    return card.model_dump(mode="json", exclude=set(LONG_PARTS))


def _signature(folder: Path) -> Signature:
    """Differs once a file of the bundle is another one."""
    try:
        stats = [(each.name, each.stat()) for each in sorted(folder.iterdir())]
    except OSError:
        return ()
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
