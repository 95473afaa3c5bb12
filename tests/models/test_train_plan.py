"""The plan of a training, and the bars that it names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from app.decision.market import COLUMNS
from app.domain.errors import InvalidInput
from models.settings.train_plan import make_plan, read_plan
from models.tapes.tapes import TapeSpan, read_tapes
from models.training.train import train
from tests.market import a_walk_file
from tests.models.tiny import QUICK_RUN, TINY, TINY_SIZES, a_plan


def test_a_plan_reads_paths_beside_its_file(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text('[markets.m]\npath = "bars"\ntrain_end = 2024-07-01\nvalidation_end = 2025-01-01\n')

    plan = read_plan(file)

    assert plan.markets["m"].path == tmp_path / "bars"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("[training]\nspeed = 3", "training.speed: there is no such field"),
        ("[model]\nlookback = 10", "lookback"),
        (
            '[markets.m]\npath = "x"\ntrain_end = 2025-01-01\nvalidation_end = 2024-01-01',
            "validation_end must be after train_end",
        ),
        ('[markets.m]\npath = "x"\ntrain_end = 2025-01-01', "markets.m.validation_end"),
        ("nonsense", "not TOML"),
    ],
)
def test_a_mistaken_plan_is_refused_with_its_place(tmp_path: Path, content: str, place: str) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(content)

    with pytest.raises(InvalidInput, match=place):
        read_plan(file)


def test_a_market_without_enough_bars_is_refused(tmp_path: Path) -> None:
    plan = a_plan(tmp_path)
    early = {"path": tmp_path, "train_end": "2020-01-01", "validation_end": "2024-01-17"}
    short = make_plan({"markets": {"early": early}, "training": QUICK_RUN, "model": TINY_SIZES}, "test")

    with pytest.raises(InvalidInput, match="early has too few bars"):
        train(short, tmp_path / "run")

    assert plan.markets
    assert not (tmp_path / "run").exists()


def test_a_market_on_which_nothing_could_choose_is_refused(tmp_path: Path) -> None:
    a_plan(tmp_path)
    late = {"path": tmp_path, "train_end": "2024-01-17", "validation_end": "2024-02-01"}
    short = make_plan({"markets": {"late": late}, "training": QUICK_RUN, "model": TINY_SIZES}, "test")

    with pytest.raises(InvalidInput, match=r"late has too few bars for validation.*validation_end"):
        train(short, tmp_path / "run")


def test_markets_that_are_too_short_for_the_longest_forecast_are_refused_before_anything_is_trained(
    tmp_path: Path,
) -> None:
    """They have the bars for orders, but for none of 256 steps."""
    plan = a_plan(tmp_path)
    longer = plan.model_copy(update={"config": replace(plan.config, max_steps=256)})

    with pytest.raises(InvalidInput, match=r"no market has the 259 in a row .* before train_end .* smaller max_steps"):
        train(longer, tmp_path / "run")

    assert not (tmp_path / "run").exists()


def test_more_starts_than_a_market_has_bars_are_refused(tmp_path: Path) -> None:
    plan = a_plan(tmp_path)
    crowded = plan.model_copy(update={"settings": replace(plan.settings, starts=200)})

    with pytest.raises(InvalidInput, match=r"walks_1h has too few bars for training: no instrument has 203"):
        train(crowded, tmp_path / "run")


def test_bars_of_sessions_are_put_together_to_longer_ones_within_sessions(tmp_path: Path) -> None:
    """Sessions of three hours make a step of two hours and one of an hour: none spans a night."""
    path = a_walk_file(tmp_path, name="SHARE-5m.parquet", bars=30_000, bar_seconds=300)
    bars = pq.read_table(path)
    traded = pc.and_(
        pc.is_in(pc.hour(bars["timestamp"]), pa.array([15, 16, 17])), pc.less(pc.day_of_week(bars["timestamp"]), 5)
    )
    pq.write_table(bars.filter(traded), path)

    tapes, images = read_tapes([path], TINY, TapeSpan(start=None, end=datetime(1970, 5, 1, tzinfo=UTC)), 7_200)

    for tape in (*tapes, *images):
        lengths = tape.raw[:, COLUMNS.index("bar_seconds")]
        assert set(zip((tape.open_time % 86_400 // 3_600).tolist(), lengths.tolist(), strict=True)) == {
            (15, 7_200.0),
            (17, 3_600.0),
        }
    assert len(tapes) == len(images) == 1
