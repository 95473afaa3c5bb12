"""`python -m tests.crashes`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.crashes.__main__ import main
from tests.crashes.harm import Kind, scenario_of
from tests.crashes.matrix import keep, known
from tests.crashes.run import Outcome


def an_outcome(seed: int = 0, **changes: object) -> Outcome:
    scenario = scenario_of(seed)
    well = Outcome(
        seed=seed,
        kind=scenario.kind,
        point=scenario.point,
        layout=scenario.layout,
        struck=True,
        lost=0,
        doubled=0,
        different=0,
        deaths=1,
        refusals=0,
        differences=(),
    )
    return replace(well, **changes)  # type: ignore[arg-type]


def test_what_the_results_file_has_is_told_and_not_run_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results.jsonl"
    for seed in range(3):
        keep(results, an_outcome(seed))

    code = main(["--scenarios", "3", "--results", str(results)])

    assert code == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["all", "3", "3", "0", "0", "0"]


def test_a_failed_scenario_is_kept_with_its_differences_and_ends_the_command_with_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results.jsonl"
    failed = an_outcome(0, lost=1, doubled=2, differences=("lost: a slice",))
    keep(results, failed)

    code = main(["--scenarios", "1", "--results", str(results)])

    assert code == 1
    assert known(results) == {0: failed}
    assert capsys.readouterr().out.splitlines()[-1].split() == ["all", "1", "1", "1", "2", "0"]


def test_a_line_that_was_cut_off_is_run_again(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    keep(results, an_outcome(0))
    with results.open("a") as file:
        file.write('{"seed": 1, "ki')

    assert set(known(results)) == {0}


@pytest.mark.spawns
def test_scenarios_of_one_kind_are_run_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results.jsonl"

    code = main(["--scenarios", "2", "--only", "kill -9", "--results", str(results)])

    assert code == 0
    assert {outcome.kind for outcome in known(results).values()} == {Kind.KILL}
    assert "kill -9" in capsys.readouterr().out
