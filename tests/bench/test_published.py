"""Figures in files and in documents."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.bench.failures import BenchFailed
from app.bench.published import BEGIN, END, READ_AS, around, publish, table_of
from app.bench.results_file import Results
from app.cli import cli
from tests.bench.test_command import named_with_a_target
from tests.bench.test_figures import a_figure
from tests.docs.blocks import ROOT

FIGURES, PAGE = ROOT / "docs" / "bench.json", ROOT / "docs" / "operations.md"


def some_results() -> Results:
    """A figure with a target, and one without."""
    figures = [a_figure(target=0.02), a_figure(name="p99", value=0.05)]
    return Results.now(figures, model="lem-test@1")


def test_figures_are_written_in_the_units_that_they_are_shown_in(tmp_path: Path) -> None:
    Results.now([a_figure(target=0.02)], model="lem-test@1").write(tmp_path / "new" / "figures.json")

    written = json.loads((tmp_path / "new" / "figures.json").read_text())
    assert written["model"] == "lem-test@1"
    assert written["figures"] == [
        {"case": "bar", "orders": 100, "name": "p50", "value": 42, "unit": "ms", "target": 20, "met": False}
    ]


def test_what_was_written_is_read_as_it_was_and_newer_figures_take_the_place_of_older_ones(tmp_path: Path) -> None:
    older, newer = some_results(), replace(some_results(), figures=(a_figure(value=0.03), a_figure(orders=1_000)))
    older.write(tmp_path / "older.json")
    newer.write(tmp_path / "newer.json")

    both = Results.read([tmp_path / "older.json", tmp_path / "newer.json"])

    assert Results.read([tmp_path / "older.json"]) == older
    assert both.figures == (newer.figures[0], older.figures[1], newer.figures[1])


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"figures": [{"case": "bar"}]}'])
def test_a_file_without_figures_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "figures.json").write_text(content)

    with pytest.raises(BenchFailed, match="no file of figures"):
        Results.read([tmp_path / "figures.json"])


def test_the_table_of_a_document_has_the_figures_with_a_target_and_the_rest_stays(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(f"before\n{BEGIN}an older table\n{END}after\n")

    for _ in range(2):
        publish(some_results(), document)

    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith(f"{END}after\n")
    assert "older" not in text
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows == ["| `bar` | 100 | from the bar to all slices committed, median | 42.0 ms | 20.0 ms |"]


def test_a_document_without_marks_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(f"{BEGIN}no end\n")

    answer = CliRunner().invoke(cli, ["bench", "--table", str(document)])

    assert answer.exit_code == 2
    assert len(answer.output.splitlines()) == 1
    assert BEGIN.strip() in answer.output


def test_the_command_writes_the_table_of_the_documentation_and_measures_nothing(tmp_path: Path) -> None:
    page = Path(shutil.copy(PAGE, tmp_path))
    before, after = around(page)
    page.write_text(f"{before}{BEGIN}{END}{after}")

    answer = CliRunner().invoke(cli, ["bench", "--read", str(FIGURES), "--table", str(page)])

    assert answer.exit_code == 0, answer.output
    assert page.read_text() == PAGE.read_text()


def test_the_documentation_has_a_row_for_every_figure_with_a_target_of_the_cases_that_it_tells_of() -> None:
    published = Results.read([FIGURES])
    told = {(figure.case, figure.name) for figure in published.figures if figure.target is not None}
    cases = {case for case, _ in told}

    assert told == {(case, name) for case, name in named_with_a_target() if case in cases}
    assert table_of(published).count("\n| `") == len([each for each in published.figures if each.target is not None])


def test_figures_have_words_for_readers_only_where_they_have_a_target() -> None:
    assert set(READ_AS) <= named_with_a_target()
    assert not any(re.search(r"\|", words) for words in READ_AS.values())
