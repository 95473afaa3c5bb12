"""One page that needs nothing but itself."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from models.evaluation.evaluate import REPORT
from tests.evaluation.stand_in import a_market, a_plan, evaluated

pytestmark = pytest.mark.measures

NAME = "walks <b>&"


class Reader(HTMLParser):
    """Every address that a browser would ask for, and how deep the page is nested at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "xlink:href", "data")]
        self.addresses += re.findall(r"url\((.*?)\)", " ".join(value or "" for _, value in attrs))


@pytest.fixture(name="page", scope="module")
def a_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("page")
    plan = a_plan(
        {NAME: a_market(folder, instruments=1, published="crypto_15min")},
        walk={"instruments": 1, "bars": 1500, "min_steps": (1, 6)},
    )
    evaluated(plan, folder / "out")
    return (folder / "out" / REPORT).read_text()


def test_it_asks_for_nothing_outside_itself(page: str) -> None:
    reader = Reader()
    reader.feed(page)

    assert {address for address in reader.addresses if not address.strip("'\"").startswith("#")} == set()
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(reader.tags)
    assert "@import" not in page


def test_plots_are_inside(page: str) -> None:
    assert page.count("<svg") == page.count("</svg>") == 7
    assert "<metadata>" not in page


def test_names_are_escaped(page: str) -> None:
    assert "walks &lt;b&gt;&amp;" in page
    assert NAME not in page


def test_it_says_how_to_read_it(page: str) -> None:
    for words in ("positive is good", "one bar ahead", "no target", "blocks\nof whole days", "model: stand-in"):
        assert words in page


def test_the_walk_has_its_section(page: str) -> None:
    assert "<h2>Random walk</h2>" in page
    assert ">optimum</th>" in page


def test_every_table_says_what_its_sign_means(page: str) -> None:
    captions = re.findall(r"<caption>(.*?)</caption>", page)

    assert len(captions) == page.count("<table")
    assert all(any(words in each for words in ("positive is good", "without a sign", "shares")) for each in captions)


def test_no_table_shows_costs_where_the_others_show_gains(page: str) -> None:
    assert "Gains, all policies" in page
    assert "lippage, all" not in page


def test_it_is_readable_in_the_dark(page: str) -> None:
    assert "prefers-color-scheme:dark" in page


def test_nothing_is_shown_as_nan(page: str) -> None:
    assert ">nan<" not in page
