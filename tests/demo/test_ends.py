"""However the demo ends, the service is gone, nothing is left behind, and the exit code says why."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import httpx
import pytest

from tests.demo.running import QUICKLY, address_of, demo
from tests.processes.replicas import PATIENT_SECONDS

pytestmark = pytest.mark.spawns

SLOWLY = ("--bars-per-second", "0.5")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_amid_the_replay_ends_the_service_too(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with demo(tmp_path, *SLOWLY) as process:
        address = address_of(process)
        assert httpx.get(f"{address}/healthz", timeout=PATIENT_SECONDS).status_code == 200
        process.send_signal(number)

        _, errors = process.communicate(timeout=PATIENT_SECONDS)

    assert (process.returncode, errors) == (code, "stopped\n")
    assert_gone(address, tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_with_stay_the_desk_page_is_there_after_the_summary_until_a_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    with demo(tmp_path, *QUICKLY, "--stay") as process:
        assert process.stdout is not None
        address = address_of(process)
        said = "".join(iter(process.stdout.readline, "The service goes on. Ctrl-C ends it.\n"))
        pages = [line.split()[-1] for line in said.splitlines() if " /desk/orders/" in line]
        assert "Summary" in said
        assert len(pages) == 8
        for page in ("/desk", pages[0]):
            assert httpx.get(f"{address}{page}", timeout=PATIENT_SECONDS).status_code == 200
        process.send_signal(number)

        said, errors = process.communicate(timeout=PATIENT_SECONDS)

    assert (process.returncode, said, errors) == (0, "Ended.\n", "")
    assert_gone(address, tmp_path)


def test_a_service_that_is_gone_ends_the_stay_as_a_failure(tmp_path: Path) -> None:
    with demo(tmp_path, *QUICKLY, "--stay") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("The service goes on"):
                break
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        for child in children.read_text().split():
            os.kill(int(child), signal.SIGTERM)

        _, errors = process.communicate(timeout=PATIENT_SECONDS)

    assert process.returncode == 1
    assert errors.startswith("lem: the service ended with exit code")


def test_a_reader_that_has_seen_enough_ends_the_demo_without_a_word(tmp_path: Path) -> None:
    with demo(tmp_path, *QUICKLY) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        address = address_of(process)
        process.stdout.close()

        errors = process.stderr.read()
        process.wait(PATIENT_SECONDS)

    assert (process.returncode, errors) == (0, "")
    assert_gone(address, tmp_path)


def assert_gone(address: str, folder: Path) -> None:
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/healthz")
    assert list(folder.glob("lem-demo-*")) == []
