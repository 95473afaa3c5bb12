"""The command line of `lem replay`."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from app.bundles.bundle import bundle_name, load_bundle, read_card
from app.bundles.card import CARD_FILE
from app.bundles.chains import chain_of
from app.bundles.errors import BundleError
from app.bundles.shipped import SHIPPED_BUNDLES
from app.decision.chain import PolicyChain
from app.domain.errors import LemError
from app.replaying.again import Repeated, decided_again
from app.replaying.recorded_order import CannotReplay, RecordedOrder, bars_of, recorded_order
from app.terminal import refusing
from lem_client import AsyncClient, ClientError

TIMEOUT_SECONDS = 30.0
API_KEY = "LEM_API_KEY"
"""The variable that holds the key for the service: a key on the command line would be seen by others."""
DIFFERS = 1
WIDTH_MIN = 100


def replay(
    order_id: Annotated[str, typer.Argument(metavar="ORDER_ID", help="The order, by the service's name of it.")],
    url: Annotated[str, typer.Option(help="Where the service is.")] = "http://127.0.0.1:8000",
    bundles: Annotated[
        Path | None, typer.Option(help="Folder with further bundles.  [LEM_BUNDLES]", show_default="those shipped")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every slice, recorded and again, as JSON.")] = False,
) -> None:
    """Decide a past order again from the bars that the service has stored, with the bundle that decided it.

    Exits with 0 where every slice comes out the same to the last bit, and with 1 where one does not. A key for the
    service is taken from LEM_API_KEY.
    """
    shelf = bundles or (Path(os.environ["LEM_BUNDLES"]) if os.environ.get("LEM_BUNDLES") else None)
    with refusing("lem replay", CannotReplay, ClientError, BundleError, LemError, OSError):
        recorded, repeated = asyncio.run(_replayed(url, order_id, [SHIPPED_BUNDLES, *([shelf] if shelf else [])]))
    if as_json:
        typer.echo(json.dumps([_told(each) for each in repeated], indent=2, default=str))
    else:
        _show(recorded, repeated, Console(width=max(WIDTH_MIN, Console().width)))
    if not all(each.same for each in repeated):
        raise typer.Exit(DIFFERS)


async def _replayed(url: str, order_id: str, shelves: Sequence[Path]) -> tuple[RecordedOrder, list[Repeated]]:
    key = os.environ.get(API_KEY) or None
    async with AsyncClient(url, api_key=key, timeout_seconds=TIMEOUT_SECONDS) as lem:
        recorded = await recorded_order(lem, order_id)
        chain = chain_named(recorded.bundle, shelves)
        before, following = await bars_of(lem, recorded, chain.lookback)
    return recorded, await decided_again(recorded, chain, before, following)


def chain_named(name: str, shelves: Sequence[Path]) -> PolicyChain:
    """Raises CannotReplay where no folder has the bundle."""
    for folder in _folders(shelves):
        try:
            if bundle_name(read_card(folder)) == name:
                return chain_of(load_bundle(folder))
        except BundleError:  # another bundle may be the one
            continue
    raise CannotReplay(f"{name} decided the order and is in none of the folders; name its folder with --bundles")


def _folders(shelves: Sequence[Path]) -> Iterator[Path]:
    for shelf in shelves:
        yield from sorted(card.parent for card in shelf.glob(f"*/{CARD_FILE}"))


def _show(recorded: RecordedOrder, repeated: Sequence[Repeated], console: Console) -> None:
    table = Table("step", "window", "decided by", "proposed", "quantity", "bound by", "inputs", "again", box=None)
    for each in repeated:
        piece = each.recorded
        table.add_row(
            str(piece.step),
            f"{piece.window.start:%Y-%m-%d %H:%M}",
            piece.model,
            f"{piece.allocation} stop {piece.stop_probability}",
            f"{piece.quantity:f}",
            piece.bound_by or "-",
            piece.inputs or "-",
            _verdict(each),
        )
    console.print(table)
    same = sum(each.same for each in repeated)
    console.print(f"{same} of {len(repeated)} slices are the same to the last bit, with {recorded.bundle}")


def _verdict(each: Repeated) -> str:
    if each.again is None:
        return "no slice"
    return "the same" if each.same else f"differs: {', '.join(each.differing)}"


def _told(each: Repeated) -> dict[str, Any]:
    again = None if each.again is None else _fields(each.again)
    return {"same": each.same, "differing": each.differing, "recorded": _fields(each.recorded), "again": again}


def _fields(piece: Any) -> dict[str, Any]:
    names = piece.__dataclass_fields__
    told = {name: getattr(piece, name) for name in names}
    return told | {"window": {"start": piece.window.start, "end": piece.window.end}}
