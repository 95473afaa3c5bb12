"""`lem quote` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from app.api.values import utc
from app.bars.walks import Walk, simulate_bars, write_bars
from app.bundles.bundle import load_bundle
from app.quoting.lem_quote import quote
from tests.builders import BAR_SECONDS, START, at

TINY = Path(__file__).parents[1] / "models" / "tiny-1"
ORDER = ("--side", "buy", "--benchmark", "vwap", "--min-steps", "2", "--max-steps", "4")
BARS = 192

cli = typer.Typer()
cli.command()(quote)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of bars of 15 minutes from START on."""
    path, first_open = tmp_path_factory.mktemp("bars") / "WALK-15m.parquet", int(START.timestamp())
    bars = simulate_bars(np.random.default_rng(0), Walk(), 1, BARS, first_open=first_open)
    write_bars(path, bars, 0, BAR_SECONDS, first_open=first_open)
    return path


def typed(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(cli, [*(str(word) for word in words), "--bundle", str(TINY)])
    return result.exit_code, result.output


def as_json(*words: object) -> dict[str, Any]:
    code, output = typed(*words, "--json")
    assert code == 0, output
    answer: dict[str, Any] = json.loads(output)
    return answer


def test_the_answer_is_that_of_the_service_on_these_bars(walk: Path) -> None:
    answer = as_json("--bars", walk, *ORDER, "--notional", "50000")

    assert answer["notional"] == "50000"
    assert [step["step"] for step in answer["steps"]] == [1, 2, 3, 4]
    assert answer["steps"][0]["window"]["start"] == answer["rests_on"]["as_of"]
    assert answer["rests_on"]["model"] == load_bundle(TINY).name
    assert answer["warnings"] == ["not_calibrated"]


def test_a_risk_aversion_may_be_named(walk: Path) -> None:
    named = as_json("--bars", walk, *ORDER, "--quantity", "5", "--risk-aversion", "tracking")

    assert float(named["rests_on"]["risk_aversion"]) == load_bundle(TINY).risk_aversions["tracking"]


def test_a_quote_as_of_a_time_reads_no_later_bar(walk: Path) -> None:
    answer = as_json("--bars", walk, *ORDER, "--quantity", "5", "--until", f"{at(150):%Y-%m-%dT%H:%M:%S}")

    assert answer["rests_on"]["as_of"] == answer["steps"][0]["window"]["start"] == utc(at(150))


def test_a_table_says_what_an_order_earns_when_it_ends_and_what_that_rests_on(walk: Path) -> None:
    code, output = typed("--bars", walk, *ORDER, "--quantity", "5", "--half-spread-bps", "1.5")

    assert code == 0, output
    for words in ("positive is a gain", "expected end", "half spread 1.50", "simulated walks", "not_calibrated"):
        assert words in output


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--quantity", "5", "--notional", "5"), "give quantity or notional, not both"),
        ((), "give either quantity or notional"),
        (("--quantity", "lots"), "a decimal has at most 15 digits"),
        (("--quantity", "5", "--max-slice-fraction", "0.1"), "cannot finish it"),
        (("--quantity", "5", "--until", "1969-01-01"), "has no bar that closes by"),
        (("--quantity", "5", "--calendar", "NOWHERE"), "NOWHERE"),
    ],
)
def test_what_the_service_refuses_is_refused_in_one_line(walk: Path, words: tuple[str, ...], reason: str) -> None:
    code, output = typed("--bars", walk, *ORDER, *words)

    assert code == 2
    assert output.startswith("lem quote: ")
    assert reason in output
    assert len(output.splitlines()) == 1


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    code, output = typed("--bars", tmp_path / "NONE-15m.parquet", *ORDER, "--quantity", "5")

    assert (code, "does not exist" in output) == (2, True)
