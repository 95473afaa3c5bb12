"""The printed figures in our signs."""

from __future__ import annotations

from typing import Any

import pytest

from models.evaluation.published import SOURCE, blocks, published_rows


def printed(**words: Any) -> dict[str, Any]:
    (row,) = (row for row in published_rows("crypto_15min") if all(row[name] == value for name, value in words.items()))
    return row


def test_a_buyers_figures_stay_as_printed() -> None:
    row = printed(side="buy", benchmark="twap", size_mode="quantity", published_index="6")

    figures = [row[f"slippage_bps_{name}"] for name in ("mean", "std", "median", "p5", "p95", "q25", "q75")]
    assert figures == [-7.96, 15.15, -3.97, -29.9, 2.12, -9.68, -1.02]


def test_a_sellers_figures_change_sign_and_their_quantiles_places() -> None:
    row = printed(side="sell", benchmark="twap", size_mode="quantity", published_index="6")

    figures = [row[f"slippage_bps_{name}"] for name in ("mean", "std", "median", "p5", "p95", "q25", "q75")]
    assert figures == [-7.65, 14.14, -3.92, -29.85, 2.89, -9.99, -0.64]


def test_quantiles_are_in_order_in_every_row() -> None:
    for block in blocks():
        for row in published_rows(block):
            quantiles = [row[f"slippage_bps_{name}"] for name in ("p5", "q25", "median", "q75", "p95")]
            assert quantiles == sorted(quantiles)


@pytest.mark.parametrize(("index", "min_steps"), [("6", 7), ("11", 12), ("12", 12)])
def test_an_index_ends_an_order_one_bar_later(index: str, min_steps: int) -> None:
    row = printed(side="buy", benchmark="vwap", size_mode="notional", published_index=index)

    assert (row["min_steps"], row["max_steps"]) == (min_steps, 12)


def test_every_row_says_what_it_is() -> None:
    rows = [row for block in blocks() for row in published_rows(block)]

    assert {row["source"] for row in rows} == {SOURCE}
    assert {row["policy"] for row in rows} == {"published lem", "published twap schedule"}
