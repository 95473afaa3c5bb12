"""Streams of real processes: what ends one, and how a feed goes on at another one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from app.demo.server import serving
from tests.api.streaming import feeding, messages
from tests.api.wire import HISTORY
from tests.builders import BAR_SECONDS, START
from tests.processes.replicas import PATIENT_SECONDS, Replica, recorded_slices, replicas
from tests.processes.test_workers import asked, workers
from tests.servers import a_server, flush

pytestmark = pytest.mark.spawns

STEPS = 6
ORDER = {"client_order_id": "oms-1", "horizon": {"min_steps": 8, "max_steps": 12}}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with a_server("redis", "--appendonly", "yes") as url:
        yield url


@pytest.fixture
def url(server: str) -> str:
    """An empty store."""
    flush(server)
    return server


async def test_a_service_that_is_told_to_end_closes_its_streams_in_order(tmp_path: Path) -> None:
    with serving(data_dir=tmp_path) as service:
        replica = Replica(service)
        replica.prepared()
        async with feeding(service.address) as feed:
            taken = await feed.asked(messages([HISTORY])[0])
            service.process.send_signal(signal.SIGTERM)
            code = await feed.close_code()
        ended = service.process.wait(PATIENT_SECONDS)
        replica.client.close()

    assert taken["result"]["accepted"] == 1
    assert (code, ended) == (1012, 0)
    assert (tmp_path / "serve.log").read_text() == ""


async def test_a_feed_goes_on_at_another_service_where_the_first_one_was_killed(tmp_path: Path, url: str) -> None:
    """The slices are those of a day without harm: no bar is missing, and none counts twice."""
    with replicas(tmp_path / "alone", url, 1) as [alone]:
        alone.prepared()
        alone.order(**ORDER)
        for number in range(HISTORY, HISTORY + STEPS):
            alone.feed(number)
    undisturbed = recorded_slices(url)
    flush(url)

    with replicas(tmp_path / "both", url, 2) as [first, second]:
        first.prepared()
        first.order(**ORDER)
        address, other = str(first.client.base_url), str(second.client.base_url)
        async with feeding(address) as feed:
            await feed.asked(messages([HISTORY])[0])
            await feed.send(*messages(range(HISTORY + 1, HISTORY + 3)))
            first.process.kill()
            await feed.close_code()
        async with feeding(other) as feed:
            [newest] = feed.opened["newest"]
            known = number_of(newest["open_time"])
            rest = messages(range(known, HISTORY + STEPS))  # the newest stored one too: whoever is not sure repeats it
            answers = [await feed.asked(message) for message in rest]
        recorded = recorded_slices(url)

    assert HISTORY <= known < HISTORY + 3
    assert [each["result"]["accepted"] for each in answers] == [0, *[1] * (len(rest) - 1)]
    assert recorded == undisturbed


def number_of(open_time: str) -> int:
    """Of the bar that opens then."""
    return int((datetime.fromisoformat(open_time) - START).total_seconds()) // BAR_SECONDS


async def test_any_worker_takes_a_stream_and_its_answer_waits_for_the_worker_that_decides(tmp_path: Path) -> None:
    with workers(tmp_path) as server:
        replica = Replica(server)
        replica.prepared()
        order_id = replica.order(**ORDER)
        for number in range(HISTORY, HISTORY + 4):  # each stream may come to another worker
            async with feeding(server.address) as feed:
                answer = await feed.asked(messages([number])[0])
                piece = asked(server, "GET", f"/v1/orders/{order_id}/slices/next").json()["slice"]
                seen = asked(server, "GET", "/metrics").text

            assert answer["result"] == {"accepted": 1, "duplicates": 0, "gaps_filled": 0, "revised": 0}
            assert piece["step"] == number - HISTORY + 2
            assert sum(f'lem_bar_streams_open{{worker="{worker}"}} 1.0' in seen for worker in (0, 1)) == 1
        replica.client.close()
