"""A trained LEM as a bundle in a folder of its own: two ONNX graphs, and a card with golden cases."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from torch import nn

from app.bundles.card import Card, RiskAversions, Training
from app.bundles.inputs import STATE_COLUMNS
from app.decision.market import COLUMNS
from app.domain.order import SCENARIOS
from models.network.decision import DecisionTable
from models.network.lem import Lem
from models.network.tkan import Tkan
from models.release.golden import context_case, decision_case
from models.release.graphs import context_tensors, decision_tensors
from models.release.onnx_graph import write_graph

CARD, CONTEXT, DECISION = "card.json", "context.onnx", "decision.onnx"
GOLDEN_SEED, GOLDEN_ROWS = 0, 4 * len(SCENARIOS)


def draft_bundle(
    net: Lem,
    draft: Path,
    *,
    name: str,
    training: Training,
    bar_seconds: Sequence[int],
    risk_aversions: RiskAversions,
    metrics: Sequence[dict[str, float | int | str]],
) -> None:
    """Write the bundle called `name` into the folder `draft`, in the place of what was there. Nothing is checked yet:
    replace_bundle does that. Raises BundleError where a graph cannot be exported, and leaves no draft then."""
    net = copy.deepcopy(net).eval()
    net.requires_grad_(requires_grad=False)  # a scan that keeps gradients cannot be exported
    config, table = net.config, DecisionTable(net.decision).eval()
    rng = np.random.default_rng(GOLDEN_SEED)
    whole_window, short_window = (context_case(net, rng, bars) for bars in (config.lookback, config.history_min))
    orders = decision_case(net, table, rng, GOLDEN_ROWS)
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        write_graph(_scanning(net), context_tensors(config), whole_window, draft / CONTEXT)
        write_graph(table, decision_tensors(config), orders, draft / DECISION)
    except BaseException:
        shutil.rmtree(draft)
        raise
    card = Card(
        name=name,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        lookback=config.lookback,
        history_min=config.history_min,
        max_steps=config.max_steps,
        bar_seconds=list(bar_seconds),
        columns=list(COLUMNS),
        state_columns=list(STATE_COLUMNS),
        scenarios=[[one.side.value, one.benchmark.value, one.size_mode.value] for one in SCENARIOS],
        risk_aversions=risk_aversions,
        context=context_tensors(config).card(draft / CONTEXT),
        decision=decision_tensors(config).card(draft / DECISION),
        training=training,
        metrics=list(metrics),
        golden=[whole_window, short_window, orders],
    )
    (draft / CARD).write_text(json.dumps(card.model_dump(), separators=(",", ":")) + "\n")


def _scanning(net: Lem) -> nn.Module:
    """The market side with its loops as ONNX scans."""
    for layer in net.context.modules():
        if isinstance(layer, Tkan):
            layer.exporting = True
    return net.context
