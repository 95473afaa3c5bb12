"""`lem bench` as a command: it measures real processes, and none of them outlives it."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.bench.cases.registry import ASKED_FOR, CASES, CaseName
from app.bench.process_stats import PROCESSES
from app.cli import cli
from tests.docs.blocks import text_of
from tests.processes.replicas import PATIENT_SECONDS

BENCH = [sys.executable, "-m", "app.cli", "bench", "--quick"]


def test_every_case_has_a_name_and_sizes() -> None:
    assert set(CASES) == set(CaseName)
    assert all(case.orders and case.quick_orders for case in CASES.values())
    assert {CaseName.SOAK} == ASKED_FOR


@pytest.mark.parametrize("orders", ["0", "many", "100,", "-1"])
def test_a_number_of_orders_that_cannot_be_is_refused(orders: str) -> None:
    answer = CliRunner().invoke(cli, ["bench", "--orders", orders])

    assert answer.exit_code == 2
    assert "whole numbers from 1" in answer.output


@pytest.mark.parametrize("option", ["--out", "--json"])
def test_a_place_that_nothing_can_be_written_to_is_refused_before_anything_is_measured(
    option: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    answer = CliRunner().invoke(cli, ["bench", option, str(tmp_path / "file" / "inner" / "figures")])

    assert answer.exit_code == 2
    assert answer.output.startswith("lem bench: ")
    assert len(answer.output.splitlines()) == 1


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for temporary files of a short path: sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield Path(folder)


@pytest.mark.spawns
def test_a_quick_run_measures_every_case_and_leaves_nothing_behind(tmp_path: Path, temporary: Path) -> None:
    out, figures = tmp_path / "out", tmp_path / "figures.json"
    cases = [word for name in CaseName for word in ("--case", name)]

    ran = subprocess.run(
        [*BENCH, *cases, "--orders", "6", "--days", "0.01", "--profile", "--out", str(out), "--json", str(figures)],
        capture_output=True,
        text=True,
        env=os.environ | {"TMPDIR": str(temporary)},
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    measured = {(each["case"], each["name"]): each for each in json.loads(figures.read_text())["figures"]}
    assert named_with_a_target() - set(measured) == {("store", "order_of_10_slices")}, "a quick run has fewer slices"
    ratio = measured["slices_next", "cpu_ratio"]
    assert (ratio["orders"], ratio["target"], ratio["value"] > 0) == (6, 1.5, True)
    assert measured["soak", "orders_sent"]["value"] >= 6
    with (out / "soak.csv").open() as samples:
        assert float(list(csv.DictReader(samples))[-1]["service_descriptors"]) > 0
    assert (out / "soak.svg").read_text().startswith("<svg")
    assert "app.api.slices.routes.next_slice" in (out / "slices_next.folded").read_text()
    assert "GET slices/next, against a bare handler" in ran.stdout
    assert list(temporary.glob("lem-*")) == []


def named_with_a_target() -> set[tuple[str, str]]:
    """Cases and figures, from the last column of the table in the documentation."""
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", text_of("docs/benchmarks.md"), re.MULTILINE)
    return {(case, figure) for case, column in rows for figure in re.findall(r"`(\w+)`", column)}


def test_every_case_is_in_the_table_of_the_documentation() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", text_of("docs/benchmarks.md"), re.MULTILINE)

    assert rows == list(CASES)


@pytest.mark.spawns
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_service_too(kind: signal.Signals, temporary: Path) -> None:
    environment: dict[str, Any] = os.environ | {"TMPDIR": str(temporary)}
    command = [*BENCH, "--case", "soak", "--days", "30"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as bench:
        assert bench.stderr is not None
        assert any("day 0" in line for line in bench.stderr)
        working = processes_in(temporary)
        bench.send_signal(kind)

        assert bench.wait(PATIENT_SECONDS) == 130

    assert len(working) == 2, "the service and its store"
    assert processes_in(temporary) == []
    assert list(temporary.glob("lem-*")) == []


def processes_in(folder: Path) -> list[int]:
    """Processes that were told of the folder, or work in it."""
    return [int(entry.name) for entry in PROCESSES.glob("[0-9]*") if _works_in(entry, folder)]


def _works_in(entry: Path, folder: Path) -> bool:
    try:
        told = os.fsencode(folder) in (entry / "cmdline").read_bytes()
        return told or (entry / "cwd").readlink().is_relative_to(folder)
    except OSError:
        return False
