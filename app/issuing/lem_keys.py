"""The command line of `lem keys`: create, list, revoke.

Exit codes: 0 done, 2 cannot start as asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError

from app.access.api_keys import (
    NAME_LENGTH_MAX,
    REQUESTS_PER_SECOND_MAX,
    ApiKey,
    Scope,
    digest_of,
    new_key_text,
)
from app.domain.errors import InvalidInput, LemError, NotFound
from app.domain.order import ACCOUNT_LENGTH_MAX
from app.issuing.key_store import opened_keys
from app.issuing.key_table import table_of
from app.settings import Settings, said_of
from app.store.data_folder.errors import DataFolderError
from app.store.embedded import StoreStartError
from app.terminal import refuse, refusing

EXPIRES_IN_DAYS_MAX = 3_650
T = TypeVar("T")

keys = typer.Typer(
    name="keys", help="Make, list and revoke API keys.", rich_markup_mode=None,
    no_args_is_help=True, add_completion=False,
)  # fmt: skip
app = typer.Typer(rich_markup_mode=None, add_completion=False)

DataDir = Annotated[
    Path | None, typer.Option(help="Folder of the embedded store, whose service may run.  [LEM_DATA_DIR, default data]")
]


@keys.command()
def create(
    scopes: Annotated[
        str, typer.Option("--scopes", metavar="SCOPE,...", help=f"What the key may do: {', '.join(Scope)}.")
    ],
    name: Annotated[str, typer.Option(help="Whose key it is, for the list.")] = "",
    account: Annotated[
        str | None, typer.Option(help="Bind the key to an account: it sees that one's orders alone.")
    ] = None,
    requests_per_second: Annotated[
        int | None,
        typer.Option(min=1, max=REQUESTS_PER_SECOND_MAX, metavar="N", help="Calls that each process answers at most."),
    ] = None,
    expires_in_days: Annotated[
        int | None, typer.Option(min=1, max=EXPIRES_IN_DAYS_MAX, metavar="N", help="How long the key is good.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a key, and print it: this is the only time that it is shown."""
    prefix, text = new_key_text()
    now = datetime.now(UTC)
    with refusing("lem keys create", InvalidInput):
        key = ApiKey(
            prefix=prefix,
            digest=digest_of(text.encode()),
            name=_short("--name", name, NAME_LENGTH_MAX),
            scopes=_scopes(scopes),
            created_at=now,
            account=_account(account),
            requests_per_second=requests_per_second,
            expires_at=now + timedelta(days=expires_in_days) if expires_in_days else None,
        )
    settings = _settings(data_dir)
    _run("lem keys create", _recorded(settings, key))
    typer.echo(f"{prefix} is recorded in {_place(settings)}; the key is not shown again:", err=True)
    typer.echo(text)


@keys.command("list")
def list_keys(data_dir: DataDir = None) -> None:
    """Show all keys by their prefixes, with what they may do; those that are revoked or expired too."""
    found = _run("lem keys list", _all(_settings(data_dir)))
    typer.echo(table_of(found, datetime.now(UTC)) if found else "no keys")


@keys.command()
def revoke(
    prefix: Annotated[
        str, typer.Argument(metavar="PREFIX", help="As `lem keys list` shows it, such as lem_0123abcd4567.")
    ],
    data_dir: DataDir = None,
) -> None:
    """Revoke a key: within seconds it opens nothing, in every process."""
    key = _run("lem keys revoke", _revoked(_settings(data_dir), prefix))
    typer.echo(f"{key.prefix} is revoked", err=True)


app.add_typer(keys)


async def _recorded(settings: Settings, key: ApiKey) -> None:
    async with opened_keys(settings) as store:
        await store.put(key)


async def _all(settings: Settings) -> Sequence[ApiKey]:
    async with opened_keys(settings) as store:
        return await store.all()


async def _revoked(settings: Settings, prefix: str) -> ApiKey:
    """Raises NotFound("unknown_key"). A key that is revoked already stays as it is."""
    async with opened_keys(settings) as store:
        key = next((each for each in await store.all() if each.prefix == prefix), None)
        if key is None:
            raise NotFound("unknown_key", f"no key has the prefix {prefix}; lem keys list shows all")
        if key.revoked_at is None:
            key = replace(key, revoked_at=datetime.now(UTC).replace(microsecond=0))
            await store.put(key)
        return key


def _run(command: str, work: Coroutine[Any, Any, T]) -> T:
    with refusing(command, DataFolderError, StoreStartError, OSError, ValueError, LemError):
        return asyncio.run(work)


def _settings(data_dir: Path | None) -> Settings:
    try:
        return Settings(data_dir=data_dir) if data_dir else Settings()
    except ValidationError as error:
        refuse("lem keys", said_of(error))


def _place(settings: Settings) -> str:
    """Never the url of the store, which may hold a password."""
    return "the store of LEM_REDIS_URL" if settings.redis_url else str(settings.data_dir.resolve())


def _scopes(text: str) -> frozenset[Scope]:
    named = [each.strip() for each in text.split(",")]
    unknown = [each for each in named if each not in set(Scope)]
    if unknown:
        raise InvalidInput("unknown_scope", f"--scopes: there is no scope {unknown[0]!r}; take {', '.join(Scope)}")
    return frozenset(map(Scope, named))


def _account(text: str | None) -> str | None:
    if text is not None and not text:
        raise InvalidInput("bad_account", "--account must not be empty")
    return None if text is None else _short("--account", text, ACCOUNT_LENGTH_MAX)


def _short(option: str, text: str, length_max: int) -> str:
    if len(text) > length_max or not text.isprintable():
        raise InvalidInput("bad_text", f"{option} must have at most {length_max} printable characters")
    return text
