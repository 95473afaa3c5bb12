"""Who makes a call, for the routes: the gate has put the caller into the request's scope."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.types import Scope

from app.access.callers import ANYONE, Caller
from app.domain.errors import Forbidden

KEY = "lem.caller"


def caller_in(scope: Scope) -> Caller:
    caller: Caller = scope.get(KEY, ANYONE)
    return caller


def account_of(request: Request) -> str | None:
    """The one account that the caller knows of; None for a caller who sees all of them."""
    return caller_in(request.scope).account


def account_for(own: str | None, named: str | None) -> str | None:
    """The account that a call is about: the caller's own, where the key is bound to one, or the named one.
    Raises Forbidden("foreign_account") where these are two."""
    if own is not None and named not in (None, own):
        raise Forbidden("foreign_account", "the key is bound to another account; leave the account out", "#/account")
    return own or named


async def _account(request: Request) -> str | None:
    """A coroutine though it awaits nothing: FastAPI calls plain functions in a thread."""
    return account_of(request)


AccountDep = Annotated[str | None, Depends(_account)]
