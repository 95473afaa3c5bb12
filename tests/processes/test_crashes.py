"""After kill -9 of the service or of the store, orders go on with the slices that they would have had."""

from __future__ import annotations

import os
import select
from pathlib import Path
from typing import Any

import pytest

from tests.processes.driver import Died, Service, a_day
from tests.processes.replicas import PATIENT_SECONDS
from tests.processes.service import HISTORY

pytestmark = pytest.mark.spawns


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is recorded when nothing happens."""
    with Service(tmp_path_factory.mktemp("undisturbed")) as service:
        return a_day(service)


def test_an_undisturbed_day_completes_orders_in_several_steps(undisturbed: dict[str, Any]) -> None:
    """Otherwise the comparisons below would prove little."""
    assert [each["status"] for each in undisturbed.values()] == ["completed"] * 3
    assert all(len(each["slices"]) >= 4 for each in undisturbed.values())


@pytest.mark.parametrize(
    ("moment", "count"),
    [
        ("before append", 4),
        ("after append", 4),
        ("before commit", 3),
        ("between commits", 4),
        ("after commit", 4),
        ("before create", 2),
        ("after create", 2),
    ],
)
def test_killing_the_service_leaves_the_same_slices(
    undisturbed: dict[str, Any], tmp_path: Path, moment: str, count: int
) -> None:
    with Service(tmp_path, moment, count) as service:
        recorded = a_day(service)

        assert service.deaths == 1
    assert recorded == undisturbed


@pytest.mark.parametrize(
    ("moment", "count"),
    [
        ("store before append", 4),
        ("store after append", 4),
        ("store between commits", 4),
        ("store before create", 2),
    ],
)
def test_killing_the_store_in_the_middle_of_a_request_leaves_the_same_slices(
    undisturbed: dict[str, Any], tmp_path: Path, moment: str, count: int
) -> None:
    with Service(tmp_path, moment, count) as service:
        recorded = a_day(service)

        assert service.refusals > 0
        assert service.deaths == 0
    assert recorded == undisturbed


def test_killing_the_store_between_bars_leaves_the_same_slices(undisturbed: dict[str, Any], tmp_path: Path) -> None:
    """The service starts it again and goes on by itself."""
    with Service(tmp_path) as service:
        killed: list[int] = []
        disturb = {index: lambda: killed.append(service.kill_store()) for index in (HISTORY + 1, HISTORY + 4)}

        recorded = a_day(service, disturb)

        assert service.deaths == 0
        assert service.ask("store pid") not in killed
    assert recorded == undisturbed


def test_killing_both_at_once_leaves_the_same_slices(undisturbed: dict[str, Any], tmp_path: Path) -> None:
    with Service(tmp_path) as service:

        def kill_both() -> None:
            service.kill_store()
            service.kill()

        recorded = a_day(service, {HISTORY + 3: kill_both})

    assert recorded == undisturbed


def test_the_store_dies_with_the_service(tmp_path: Path) -> None:
    """Or a second server would write to the same file after a restart."""
    with Service(tmp_path) as service:
        pid = service.ask("store pid")
        watched = os.pidfd_open(pid)

        service.kill()

        ended = select.select([watched], [], [], PATIENT_SECONDS)[0]
        os.close(watched)

    assert ended == [watched]


def test_a_second_service_on_the_data_folder_is_refused(tmp_path: Path) -> None:
    with Service(tmp_path) as first:
        with pytest.raises(Died):
            Service(tmp_path)

        assert first.ask("ready") is True


def test_a_killed_service_does_not_answer(tmp_path: Path) -> None:
    """The driver notices deaths; else the tests above would pass without one."""
    with Service(tmp_path) as service:
        service.kill()

        with pytest.raises(Died):
            service.ask("ready")
