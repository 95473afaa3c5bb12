"""What an API key is: only its own text opens anything, and nothing that is recorded tells that text."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.access.allowance import Allowance
from app.access.api_keys import Scope, new_key_text, prefix_of
from app.store.api_keys import key_text
from tests.builders import START, an_api_key

LATER = START + timedelta(days=1)


def test_a_key_knows_its_own_text_and_no_other() -> None:
    key, text = an_api_key()
    _, other = an_api_key()

    assert key.is_text_of(text.encode())
    for wrong in (other, text[:-1], f"{text} ", key.digest, key.prefix, ""):
        assert not key.is_text_of(wrong.encode())


def test_neither_what_is_shown_nor_what_is_recorded_of_a_key_tells_its_text() -> None:
    key, text = an_api_key()
    secret = text.removeprefix(f"{key.prefix}_")

    assert text.startswith(key.prefix)
    assert secret not in f"{key!r} {key} {key_text(key)}"


def test_no_two_keys_are_alike() -> None:
    made = [new_key_text() for _ in range(100)]

    assert len({prefix for prefix, _ in made}) == len({text for _, text in made}) == 100
    assert all(len(text) > 50 for _, text in made)


def test_a_key_is_good_until_it_expires_or_is_revoked() -> None:
    key, _ = an_api_key(expires_at=LATER)

    assert key.good(LATER - timedelta(seconds=1))
    assert not key.good(LATER)
    assert not replace(key, revoked_at=START).good(START)


def test_any_of_the_scopes_is_enough() -> None:
    key, _ = an_api_key(scopes=frozenset({Scope.ORDERS}))

    assert key.permits((Scope.READ, Scope.ORDERS))
    assert not key.permits((Scope.READ, Scope.MARKET_DATA))


@pytest.mark.parametrize("changes", [{"scopes": frozenset()}, {"prefix": "lem_1"}, {"prefix": "changed"}])
def test_a_key_without_a_scope_or_a_prefix_is_none(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a prefix and at least one scope"):
        an_api_key(**changes)


def test_a_text_that_is_no_key_has_no_prefix() -> None:
    _, text = an_api_key()

    assert prefix_of(text.encode()) == text[:16]
    for wrong in (b"", b"lem_", text[:-1].encode(), f"{text}x".encode(), f"{text}\n".encode(), b"x" * 10_000, b"\xff"):
        assert prefix_of(wrong) is None


def test_an_allowance_is_used_up_and_grows_again_with_time() -> None:
    allowance = Allowance(3)

    at_once = [allowance.take(100.0) for _ in range(4)]
    later = [allowance.take(100.34), allowance.take(100.34)]
    long_after = [allowance.take(1_000.0) for _ in range(4)]

    assert at_once == [True, True, True, False]
    assert later == [True, False]
    assert long_after == [True, True, True, False], "what is not used is not saved up"
