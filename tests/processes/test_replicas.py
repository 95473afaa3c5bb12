"""Several `lem serve` on one Redis: the same slices as from one, whichever of them is asked, dies or stands still."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time

import pytest
from redis import Redis

from app.settings import ClockKind
from tests.api.wire import HISTORY, SYMBOL, bar_json
from tests.builders import a_bar
from tests.processes.replicas import Replica, owner_pid, recorded_slices, replicas, split, until
from tests.servers import a_server, flush

pytestmark = pytest.mark.spawns

STEPS = 8


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with a_server("redis", "--appendonly", "yes") as url:
        yield url


@pytest.fixture
def url(server: str) -> str:
    """An empty store."""
    flush(server)
    return server


def a_day(started: list[Replica], disturb: dict[int, Callable[[], None]] | None = None) -> None:
    """Bars and orders to each service in turn, of the first one where there is but one."""
    started[0].prepared()
    for number in range(STEPS):
        if disturb and number in disturb:
            disturb[number]()
        name, horizon = f"oms-{number}", {"min_steps": 3, "max_steps": 6}
        if number < STEPS // 2:
            started[number % len(started)].order(client_order_id=name, horizon=horizon)
        assert "decided" not in started[(number + 1) % len(started)].feed(HISTORY + number)


def undisturbed(folder: Path, url: str) -> dict[str, dict[str, str]]:
    with replicas(folder, url, 1) as started:
        a_day(started)
    found = recorded_slices(url)
    flush(url)
    return found


def test_bars_and_orders_to_either_of_two_services_give_the_very_same_slices_as_one(tmp_path: Path, url: str) -> None:
    expected = undisturbed(tmp_path / "alone", url)

    with replicas(tmp_path / "both", url, 2) as started:
        a_day(started)

    assert recorded_slices(url) == expected
    assert sum(map(len, expected.values())) > STEPS


def test_a_long_poll_at_one_service_wakes_by_a_bar_at_another(tmp_path: Path, url: str) -> None:
    with replicas(tmp_path, url, 2) as started, ThreadPoolExecutor() as threads:
        started[0].prepared()
        one, two = started
        for poller, feeder, number in ((one, two, HISTORY), (two, one, HISTORY + 1)):
            starts = a_bar(number + 1).open_time.isoformat()
            order_id = poller.order(client_order_id=f"oms-{number}", start_time=starts)
            asking = threads.submit(poller.step, order_id, wait=30.0)
            until(lambda poller=poller: "lem_long_polls_open 1.0" in poller.client.get("/metrics").text)

            feeder.feed(number)

            assert asking.result() == 1


def test_an_owner_that_was_stopped_and_goes_on_adds_no_slice_and_changes_none(tmp_path: Path, url: str) -> None:
    expected = undisturbed(tmp_path / "alone", url)

    with replicas(tmp_path / "both", url, 2) as started:
        started[0].prepared()
        owner, other = split(started, url)
        orders = [
            other.order(client_order_id=f"oms-{number}", horizon={"min_steps": 3, "max_steps": 6}) for number in (0,)
        ]
        os.kill(owner.pid, signal.SIGSTOP)
        other.feed(HISTORY)
        other.await_step(orders[0], 2)
        os.kill(owner.pid, signal.SIGCONT)
        for number in range(1, STEPS):
            taker = (owner, other)[number % 2]
            if number < STEPS // 2:
                taker.order(client_order_id=f"oms-{number}", horizon={"min_steps": 3, "max_steps": 6})
            taker.feed(HISTORY + number)
        until(lambda: recorded_slices(url) == expected)

    assert recorded_slices(url) == expected


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "ended"])
def test_another_service_takes_over_an_owner_that_is_gone_though_its_feed_is_silent(
    tmp_path: Path, url: str, how: signal.Signals
) -> None:
    """Bars of two seconds, on the wall clock: each window has its slice without a bar."""
    with replicas(tmp_path, url, 2, ClockKind.WALL) as started:
        now = datetime.fromtimestamp(int(time()) // 2 * 2, UTC)
        started[0].client.put(
            f"/v1/instruments/{SYMBOL}",
            json={"bar_seconds": 2, "lot_size": "0.01", "tick_size": "0.01", "grace_seconds": 0},
        )
        made = [a_bar(0, open_time=now - timedelta(seconds=back), close_time=now) for back in range(80, 1, -2)]
        started[0].post("/v1/bars", {"bars": [bar_json(bar) for bar in made]})
        owner, other = split(started, url)
        order_id = other.order(horizon={"min_steps": 23, "max_steps": 24})
        other.await_step(order_id, 2)

        os.kill(owner.pid, how)
        owner.process.wait()
        newest = newest_step(url, order_id)
        until(lambda: newest_step(url, order_id) > newest + 1)

        assert owner_pid(url) == other.pid
        assert ("lem_takeovers_total 0.0" in other.client.get("/metrics").text) is (how is signal.SIGTERM)


def newest_step(url: str, order_id: str) -> int:
    with Redis.from_url(url) as client:
        return int(client.hlen(f"lem:{{{SYMBOL}}}:slices:{order_id}"))
