"""`lem backtest --policy all`: every policy on the same orders."""

from __future__ import annotations

import csv
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from app.backtest.lem_backtest import backtest
from app.bundles.shipped import SHIPPED_BUNDLE
from app.decision.policies.registry import BASELINES
from tests.market import a_bar_file, a_walk_file

pytestmark = [
    pytest.mark.measures,
    pytest.mark.skipif(not SHIPPED_BUNDLE.exists(), reason="no bundle is shipped in this checkout"),
]

POLICIES = ["lem", *BASELINES]
KEYS = ["instrument", "start_time", "side", "benchmark", "size_mode", "min_steps", "max_steps", "sample"]

cli = typer.Typer()
cli.command()(backtest)


def lem_backtest(*words: str | Path) -> str:
    """Everything printed at 80 columns."""
    result = CliRunner().invoke(cli, [str(word) for word in words], env={"COLUMNS": "80"})
    assert result.exit_code == 0, result.output
    return result.output


def a_split_market(folder: Path) -> Path:
    """BTCUSDT at the ends of 2023, 2024 and 2025: the shipped bundle trained on the first and chose on the second."""
    days = np.concatenate([np.arange(f"{year}-12-20", f"{year}-12-26", dtype="datetime64[D]") for year in _YEARS])
    stamps = (days[:, None].astype("datetime64[s]") + np.arange(0, 86_400, 900).astype("timedelta64[s]")).reshape(-1)
    close = 100.0 * np.exp(np.cumsum(np.random.default_rng(3).normal(0.0, 0.002, len(stamps))))
    volume = 10.0 + np.random.default_rng(4).random(len(stamps))
    columns = dict.fromkeys(("open", "high", "low", "close"), close) | {"volume": volume, "notional": volume * close}
    stamped = pa.array(stamps, pa.timestamp("s", "UTC"))
    return a_bar_file(folder, timestamp=stamped, **columns).rename(folder / "BTCUSDT-15m.parquet")


_YEARS = (2023, 2024, 2025)


@pytest.fixture(name="out", scope="module")
def a_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A walk that nobody has seen, and bars of which the bundle has seen two thirds."""
    folder = tmp_path_factory.mktemp("policies")
    files = [a_walk_file(folder, bars=600), a_split_market(folder)]
    words = ["--policy", "all", "--every", "48", "--min-steps", "1,6", "--size-modes", "quantity"]
    (folder / "printed").write_text(lem_backtest("--bars", *files, "--out", folder / "out", *words))
    return folder / "out"


@pytest.fixture(name="orders", scope="module")
def all_orders(out: Path) -> pa.Table:
    return pq.read_table(out / "orders.parquet")


@pytest.fixture(name="rows", scope="module")
def all_rows(out: Path) -> list[dict[str, str]]:
    with (out / "policies.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_policy_has_the_same_orders(orders: pa.Table) -> None:
    first, *others = (orders.filter(pc.field("policy") == policy).select(KEYS) for policy in POLICIES)

    assert first.num_rows > 0
    assert all(other.equals(first) for other in others)
    assert orders.column("policy").unique().to_pylist() == POLICIES


def test_an_order_on_bars_that_the_bundle_has_seen_is_labelled(orders: pa.Table) -> None:
    years = pc.year(orders.column("start_time")).to_numpy()
    samples = orders.column("sample").to_numpy()

    found = {year: set(samples[years == year]) for year in (1970, *_YEARS)}

    assert found == {1970: {"out"}, 2023: {"training"}, 2024: {"validation"}, 2025: {"out"}}


def test_totals_never_mix_what_was_seen_with_what_was_not(orders: pa.Table, rows: list[dict[str, str]]) -> None:
    totals = {row["sample"]: row for row in rows if row["benchmark"] == "all" and row["policy"] == "lem"}

    of_lem = orders.filter(pc.field("policy") == "lem")
    assert list(totals) == ["training", "validation", "out"]
    for sample, row in totals.items():
        slippage = of_lem.filter(pc.field("sample") == sample).column("slippage_bps").to_numpy()
        assert int(row["orders"]) == len(slippage)
        assert float(row["slippage_bps_mean"]) == pytest.approx(slippage.mean())


def test_a_difference_is_what_a_policy_costs_more_order_by_order(orders: pa.Table, rows: list[dict[str, str]]) -> None:
    cell = (pc.field("sample") == "out") & (pc.field("benchmark") == "twap") & (pc.field("min_steps") == 1)
    ours, theirs = (
        orders.filter(cell & (pc.field("policy") == policy)).column("slippage_bps").to_numpy()
        for policy in ("lem", "twap")
    )

    words = {"sample": "out", "benchmark": "twap", "min_steps": "1", "policy": "twap"}
    (row,) = (row for row in rows if words.items() <= row.items())
    difference, low, high = (float(row[name]) for name in ("over_lem_bps", "over_lem_bps_low", "over_lem_bps_high"))
    assert difference == pytest.approx((theirs - ours).mean())
    assert 0.0 < low < difference < high


def test_the_table_on_the_screen_fits_and_says_its_sign(out: Path) -> None:
    printed = (out.parent / "printed").read_text()

    assert max(map(len, printed.splitlines())) <= 80
    assert "…" not in printed
    assert printed.count("Slippage in bps, positive is a cost") == 3
    assert "in sample: bars that trained the model" in " ".join(printed.split())
    for policy in POLICIES:
        assert policy in printed


def test_the_summary_tells_policies_and_samples_apart(out: Path) -> None:
    with (out / "summary.csv").open(newline="") as file:
        found = {(row["policy"], row["sample"]) for row in csv.DictReader(file)}

    assert found == {(policy, sample) for policy in POLICIES for sample in ("training", "validation", "out")}


class Addresses(HTMLParser):
    """Everything that a browser would ask for, and the tags."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.found += [value or "" for name, value in attrs if name in ("href", "src", "xlink:href", "data", "action")]


def test_the_report_asks_nobody_for_anything(out: Path) -> None:
    page, reader = (out / "report.html").read_text(), Addresses()
    reader.feed(page)

    assert reader.found == []
    assert not {"script", "link", "img", "iframe", "object", "embed"} & reader.tags
    assert "url(" not in page
    assert "@import" not in page


def test_the_report_says_its_sign_in_every_caption(out: Path) -> None:
    page = (out / "report.html").read_text()
    captions = re.findall(r"<caption>(.*?)</caption>", page)

    assert len(captions) == page.count("<table") == 6
    assert all("positive is a cost" in caption for caption in captions)
    assert "nan" not in re.findall(r">([^<]*)<", page)


def test_the_report_is_readable_in_light_and_dark_and_has_its_plots_inside(out: Path) -> None:
    page = (out / "report.html").read_text()

    assert "prefers-color-scheme:dark" in page
    assert page.count("<svg") == page.count("</svg>") == 9


def test_plots_lie_beside_it_as_files_of_their_own(out: Path) -> None:
    files = sorted((out / "plots").glob("*.svg"))

    names = [file.name for file in files if "-out" in file.name]
    assert names == ["over_lem-out.svg", "slippage-out.svg", "spread-out.svg"]
    assert len(files) == 9
    for file in files:
        assert ET.fromstring(file.read_text()).tag.endswith("svg")  # noqa: S314 - written by the test itself


def test_one_policy_alone_has_a_report_and_its_table_says_what_was_seen(tmp_path: Path) -> None:
    words = ["--every", "96", "--min-steps", "6", "--benchmarks", "vwap", "--sides", "buy"]

    printed = lem_backtest("--bars", a_split_market(tmp_path), "--out", tmp_path / "out", *words)

    assert "lem: slippage in bps, positive is a cost; in sample: bars that trained" in " ".join(printed.split())
    assert "cost over lem" not in (tmp_path / "out" / "report.html").read_text()
    assert "sample" not in pq.read_table(tmp_path / "out" / "orders.parquet").column_names
