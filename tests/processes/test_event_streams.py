"""Events of real processes: how soon they are heard at another one, and what a client hears over a death."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lem_client import Client, Event, Retries
from tests.api.wire import HISTORY
from tests.processes.replicas import PATIENT_SECONDS, replicas, until
from tests.servers import a_server, flush

pytestmark = pytest.mark.spawns

ORDERS = 20
EVENTS_OF_AN_ORDER = 3
"""It is accepted, it works, and its first slice is committed."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with a_server("redis", "--appendonly", "yes") as url:
        yield url


@pytest.fixture
def url(server: str) -> str:
    """An empty store."""
    flush(server)
    return server


class Listener(threading.Thread):
    """Follows events at an address, and notes when each of them came."""

    def __init__(self, address: str, wanted: int, after: str | None = None) -> None:
        super().__init__(daemon=True)
        self.heard: list[tuple[Event, float]] = []
        self._address, self._wanted, self._after = address, wanted, after
        self.start()

    def run(self) -> None:
        with Client(self._address, retries=Retries(seconds_max=PATIENT_SECONDS)) as lem:
            for event in lem.follow_events(after=self._after):
                self.heard.append((event, time.time()))
                if len(self.heard) == self._wanted:
                    return


def test_an_event_is_heard_at_another_service_soon_after_its_commit(tmp_path: Path, url: str) -> None:
    """Within 50 ms at the median on an idle machine: printed, since this one may be busy."""
    with replicas(tmp_path, url, 2) as [first, second]:
        first.prepared()
        listener = Listener(str(second.client.base_url), EVENTS_OF_AN_ORDER * ORDERS)
        until(lambda: "lem_event_streams_open 1.0" in second.client.get("/metrics").text)
        for number in range(ORDERS):
            first.order(client_order_id=f"oms-{number}")
        listener.join(PATIENT_SECONDS)

    late = [heard_at - event.data.at.timestamp() for event, heard_at in listener.heard]
    print(f"heard after {statistics.median(late) * 1000:.1f} ms at the median, {max(late) * 1000:.1f} ms at most")  # noqa: T201
    assert len(late) == EVENTS_OF_AN_ORDER * ORDERS


def test_a_client_hears_everything_once_though_services_are_killed_and_started(tmp_path: Path, url: str) -> None:
    heard: list[Event] = []
    after: str | None = "0"
    with replicas(tmp_path / "one", url, 1) as [alone]:
        alone.prepared()
        alone.order(client_order_id="oms-1")
        listener = Listener(str(alone.client.base_url), EVENTS_OF_AN_ORDER, after)
        listener.join(PATIENT_SECONDS)
        heard += [event for event, _ in listener.heard]
        alone.order(client_order_id="oms-2")
        alone.process.kill()
    with replicas(tmp_path / "two", url, 1) as [alone]:
        alone.feed(HISTORY)
        listener = Listener(str(alone.client.base_url), EVENTS_OF_AN_ORDER + 2, heard[-1].id)
        listener.join(PATIENT_SECONDS)
        heard += [event for event, _ in listener.heard]
        with Client(str(alone.client.base_url)) as lem:
            kept = list(lem.list_events())

    assert heard == kept
    assert len({event.id for event in kept}) == len(kept) == 2 * EVENTS_OF_AN_ORDER + 2
