"""Figures have names, and stand where a bundle's card says: what is packed by name is read by position."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import onnx
import pytest
import torch

from app.bundles.inputs import STATE_COLUMNS
from app.decision.market import COLUMNS
from models.network.ahead import knots_of
from models.network.answer import OUTPUTS
from models.network.context_layout import CONTEXT, FIXED_COLUMNS, VOLATILITY_SPANS
from models.network.decision import DecisionNet
from models.network.directions import DIRECTIONS
from models.network.features import BarFeatures
from models.network.levels import LEVELS
from models.network.order_figures import ORDER_FIGURES
from models.network.packing import aged, by_age, packed, unpacked
from models.network.variables import VARIABLES
from models.network.window_figures import WINDOW_FIGURES
from models.settings.sizes import OUTLOOKS, LemConfig
from tests.models.test_context import a_window
from tests.models.tiny import TINY, TINY_BUNDLE, a_net


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((TINY_BUNDLE / "card.json").read_text())
    return content


def tensor(card: dict[str, Any], graph: str, way: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in card[graph][way] if one["name"] == name)
    return found


def test_figures_are_packed_in_the_order_of_their_names_whatever_the_order_they_come_in() -> None:
    figures = {"b": torch.tensor([2.0]), "a": torch.tensor([1.0])}

    columns = packed(("a", "b"), figures)

    assert columns.tolist() == [[1.0, 2.0]]
    assert unpacked(("a", "b"), columns) == figures


@pytest.mark.parametrize("names", [("a",), ("a", "b", "c"), ("a", "c")])
def test_figures_that_are_missing_or_too_many_are_not_packed(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="not the figures"):
        packed(names, {"a": torch.zeros(1), "b": torch.zeros(1)})


def test_the_newest_bar_has_age_0_and_comes_last() -> None:
    assert aged("body", 3) == ("body_2", "body_1", "body_0")
    assert by_age("body", torch.tensor([[3.0, 2.0, 1.0]]))["body_0"].tolist() == [1.0]


def test_the_graphs_have_a_column_for_each_name(card: dict[str, Any]) -> None:
    assert tensor(card, "context", "inputs", "bars")["shape"][-1] == len(COLUMNS)
    assert tensor(card, "decision", "inputs", "state")["shape"][-1] == len(STATE_COLUMNS)


def test_the_context_stands_in_the_order_that_its_unit_names(card: dict[str, Any]) -> None:
    context, config = tensor(card, "context", "outputs", "context"), LemConfig(**card["training"]["config"])

    assert context["shape"][-1] == len(FIXED_COLUMNS) + config.context_width
    assert context == tensor(card, "decision", "inputs", "context")
    unit = context["unit"].split(", ")
    assert unit[:3] == ["log volatilities of the next 4/24/96 bars", "log volume", "trust"]
    assert unit[3].startswith("log tilts of volume (next bar")
    assert unit[-1] == "learned"
    names = ("log_volatility_4", "log_volatility_24", "log_volatility_96", "log_volume", "trust",
             "free_tilt_next", "free_tilt_second", "free_tilt_later",
             "forced_tilt_next", "forced_tilt_second", "forced_tilt_later")  # fmt: skip
    assert names == FIXED_COLUMNS


def test_the_layout_of_the_context_covers_every_column_once() -> None:
    columns = list(range(len(FIXED_COLUMNS) + 10))
    fixed = [*columns[CONTEXT.log_volatilities], columns[CONTEXT.log_volume], columns[CONTEXT.trust]]
    learned = columns[CONTEXT.learned]

    assert len(columns[CONTEXT.log_volatilities]) == len(VOLATILITY_SPANS)
    assert fixed == columns[CONTEXT.forecasts] + [columns[CONTEXT.trust]]
    assert fixed + columns[CONTEXT.free_tilts] + columns[CONTEXT.forced_tilts] + learned == columns
    assert columns[CONTEXT.tilts] == columns[CONTEXT.free_tilts] + columns[CONTEXT.forced_tilts]
    assert learned[CONTEXT.signed] + learned[CONTEXT.unsigned] == learned
    assert columns[CONTEXT.outlooks] == learned[: len(OUTLOOKS)]
    assert set(columns[CONTEXT.outlooks]) <= set(learned[CONTEXT.signed])


def test_the_first_weights_of_the_bundle_read_the_named_figures_and_what_is_learned(card: dict[str, Any]) -> None:
    config = LemConfig(**card["training"]["config"])
    constants = onnx.load(TINY_BUNDLE / "decision.onnx").graph.initializer

    first, _, last = (list(one.dims) for one in constants if len(one.dims) == 3)

    net, hidden = DecisionNet(config), config.decision_hidden
    blocks = net.places * len(card["scenarios"])
    assert DecisionNet(replace(config, max_steps=1)).inputs == net.inputs == first[1]  # whatever the longest horizon
    assert first == [blocks, len(ORDER_FIGURES) + config.context_width, hidden]
    assert last == [blocks, hidden, len(OUTPUTS)]


def test_every_figure_has_a_name_of_its_own_and_a_column() -> None:
    features, ahead = BarFeatures(TINY)(a_window()), 2 * len(knots_of(TINY.max_steps))

    for names in (VARIABLES, WINDOW_FIGURES, DIRECTIONS, LEVELS, ORDER_FIGURES, FIXED_COLUMNS, OUTPUTS):
        assert len(set(names)) == len(names)
    assert features.variables.shape[-1] == len(VARIABLES)
    assert features.window.shape[-1] == len(WINDOW_FIGURES) + ahead
    assert features.directions.shape[-1] == len(DIRECTIONS)
    assert features.levels.shape[-1] == len(WINDOW_FIGURES) + ahead + len(LEVELS)
    assert a_net().context(a_window())[0].shape[-1] == len(FIXED_COLUMNS) + TINY.context_width
