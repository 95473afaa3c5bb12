"""The client against the real service with API keys: each sees its account, and a refusal says why."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from app.access.api_keys import Scope
from lem_client import AsyncClient, NotFound, NotPermitted
from tests.api.conftest import serving
from tests.api.keyed import Keyed
from tests.api.wire import prepared
from tests.client.desk import an_order
from tests.client.way import Way


def client_at(service: httpx.AsyncClient, key: dict[str, str]) -> AsyncClient:
    """With the key of such a header."""
    return AsyncClient("http://lem", api_key=key["Authorization"].removeprefix("Bearer "), transport=Way(service))


async def test_a_key_sends_and_sees_the_orders_of_its_account_alone(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        keyed = Keyed(await prepared(service), tmp_path)
        keys = [await keyed.key(Scope.ORDERS, account=account) for account in ("fund-1", "fund-2")]
        async with client_at(service, keys[0]) as one, client_at(service, keys[1]) as two:
            order = await one.post_order(an_order())
            seen = [each async for each in one.list_orders()]
            seen_by_others = [each async for each in two.list_orders()]
            with pytest.raises(NotFound, match="unknown_order"):
                await two.get_analysis(order.order_id)
            with pytest.raises(NotPermitted, match="scope_missing"):
                await one.delete_instrument(order.instrument)

    assert order.account == "fund-1"
    assert (seen, seen_by_others) == ([order], [])


async def test_a_client_with_a_wrong_key_or_none_is_told_so(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        known = await Keyed(service, tmp_path).key()
        async with (
            client_at(service, known) as right,
            AsyncClient("http://lem", transport=Way(service)) as none,
            AsyncClient("http://lem", api_key="lem_wrong", transport=Way(service)) as wrong,
        ):
            assert await right.list_instruments() == ()  # a key that is used is known to the service from then on
            assert (await none.get_health()).status == "ok"
            with pytest.raises(NotPermitted, match="401 key_missing"):
                await none.list_instruments()
            with pytest.raises(NotPermitted, match="401 key_unknown") as refused:
                await wrong.list_instruments()

    assert refused.value.problem.request_id == refused.value.request_id is not None
