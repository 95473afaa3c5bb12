"""What is computed of measured values, and what the kernel tells of a process."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from time import perf_counter

import pytest

from app.bench.cases.workers import Round
from app.bench.percentiles import growth, percentile, ratio_of_rounds
from app.bench.process_stats import (
    children_of,
    cpu_seconds,
    descriptors,
    folder_bytes,
    resident_bytes,
    working_folder,
)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100)])
def test_a_percentile_is_the_smallest_value_that_is_at_least_as_large_as_that_share(
    share: float, expected: float
) -> None:
    values = [float(value) for value in reversed(range(1, 101))]

    assert percentile(values, share) == expected


def test_the_percentiles_of_one_value_are_that_value() -> None:
    assert {percentile([7.0], share) for share in (0.0, 0.5, 0.99, 1.0)} == {7.0}


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_a_round_that_was_disturbed_moves_no_ratio() -> None:
    assert ratio_of_rounds([2.0, 40.0, 2.2, 2.1, 90.0], [1.0, 1.0, 1.1, 1.0, 60.0]) == pytest.approx(2.0)


def test_growth_is_the_slope_of_the_line_through_the_points() -> None:
    assert growth([0.0, 1.0, 2.0], [10.0, 13.0, 16.0]) == pytest.approx(3.0)
    assert growth([0.0, 1.0, 2.0, 3.0], [5.0, 6.0, 5.0, 6.0]) == pytest.approx(0.2)
    assert growth([1.0, 1.0], [5.0, 6.0]) == 0.0


def test_the_cpu_of_a_process_is_counted_more_finely_than_in_hundredths_of_a_second() -> None:
    before = cpu_seconds(os.getpid())
    until = perf_counter() + 0.002
    while perf_counter() < until:
        pass

    spent = cpu_seconds(os.getpid()) - before

    assert 0.0 < spent < 0.1


def test_the_kernel_tells_of_memory_and_descriptors(tmp_path: Path) -> None:
    before = descriptors(os.getpid())
    with (tmp_path / "open").open("w"):
        assert descriptors(os.getpid()) == before + 1

    assert resident_bytes(os.getpid()) > 10_000_000


def test_children_are_those_that_run(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "30"], cwd=tmp_path) as child:
        assert child.pid in children_of(os.getpid())
        assert working_folder(child.pid) == tmp_path.resolve()
        child.kill()
        child.wait()

        assert child.pid not in children_of(os.getpid())


def test_a_process_that_is_gone_is_an_error() -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()

    with pytest.raises(OSError, match="Invalid argument"):
        cpu_seconds(child.pid)


def test_the_size_of_a_folder_is_that_of_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "one").write_bytes(b"12345")
    (tmp_path / "inner" / "two").write_bytes(b"123")

    assert folder_bytes(tmp_path) == 8


def test_a_second_worker_doubles_nothing_where_store_and_client_need_its_core() -> None:
    measured = Round(seconds=9.0, workers=8.0, store=1.0, client=1.0)

    on_two_cores = [measured.least_seconds(workers, 2) for workers in (1, 2)]
    on_many_cores = [measured.least_seconds(workers, 16) for workers in (1, 2, 16)]

    assert on_two_cores == [8.0, 5.0]
    assert on_many_cores == [8.0, 4.0, 1.0], "the store runs on one core"
