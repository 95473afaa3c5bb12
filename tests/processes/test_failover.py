"""`lem serve` on a master that dies while orders are live: 503 and why until the replica has taken its place, then the
orders go on where they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest

from app.demo.server import serving
from app.store import keys
from tests.api.wire import HISTORY, bars_json, instrument_json, order_json
from tests.builders import bars
from tests.clusters import Node, a_cluster, a_watched_master, eventually

pytestmark = pytest.mark.spawns
SYMBOL = "BTC-USDT"


@contextmanager
def behind_sentinels() -> Iterator[tuple[str, Node, Node]]:
    with a_watched_master("redis", "--appendonly", "yes") as watched:
        yield watched.url, watched.master, watched.replica


@contextmanager
def on_a_cluster() -> Iterator[tuple[str, Node, Node]]:
    with a_cluster("valkey", "--appendonly", "yes", replicas=True) as cluster:
        master = cluster.master_of(keys.bars(SYMBOL))
        yield cluster.url, master, cluster.replicas[cluster.masters.index(master)]


@pytest.mark.parametrize("store", [behind_sentinels, on_a_cluster])
def test_orders_go_on_at_the_new_master(
    tmp_path: Path, store: Callable[[], AbstractContextManager[tuple[str, Node, Node]]]
) -> None:
    with (
        store() as (url, master, replica),
        serving(data_dir=tmp_path, redis_url=url) as server,
        httpx.Client(base_url=server.address, timeout=60) as client,
    ):
        client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json())
        client.post("/v1/bars", json=bars_json(bars(HISTORY)))
        path = f"/v1/orders/{client.post('/v1/orders', json=order_json()).json()['order_id']}/slices/next"
        first, ready = client.get(path).json()["slice"], client.get("/readyz").status_code
        eventually(lambda: _has_all_of(replica, master))
        master.kill()
        away, refused = client.get("/readyz"), client.get(path)
        eventually(lambda: client.get("/readyz").status_code == 200)
        again = client.get(path).json()["slice"]
        taken = client.post("/v1/bars", json=bars_json(bars(HISTORY + 1)[HISTORY:]))
        second = client.get(path).json()["slice"]
        metrics = client.get("/metrics").text

    assert (ready, away.status_code, refused.status_code, taken.status_code) == (200, 503, 503, 200)
    assert away.json()["reasons"] == ["store_unavailable"]
    assert refused.json()["code"] == "store_unavailable"
    assert again == first
    assert (first["step"], second["step"]) == (1, 2)
    assert "lem_store_lost_total{" not in metrics
    assert "store is back" in (tmp_path / "serve.log").read_text()


def _has_all_of(replica: Node, master: Node) -> bool:
    return replica.info("replication")["slave_repl_offset"] == master.info("replication")["master_repl_offset"]
