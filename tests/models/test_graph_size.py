"""No loop over bars, steps or knots is written out in an exported graph: it has as many nodes whatever their number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from app.bundles.bundle import load_bundle
from models.network.decision import DecisionTable
from models.network.lem import Lem
from models.release.draft import draft_bundle
from models.release.golden import random_bars, random_orders
from models.settings.sizes import LemConfig
from tests.models.tiny import TINY, a_net

pytestmark = pytest.mark.exports
FEW = 10
LARGER = replace(TINY, lookback=80, recurrence=12, history_min=20, max_steps=60, knots=4)


def exported(config: LemConfig, bundle: Path, folder: Path) -> tuple[Lem, Path]:
    card, net = load_bundle(bundle).card, a_net(config)
    draft_bundle(
        net,
        folder,
        name="any-1",
        training=card.training,
        bar_seconds=[900],
        risk_aversions=card.risk_aversions,
        metrics=[],
    )
    return net, folder


def nodes(path: Path) -> int:
    return len(onnx.load(path).graph.node)


def test_longer_horizons_and_windows_add_no_nodes_and_change_no_answer(bundle: Path, tmp_path: Path) -> None:
    """But for a few, such as those that fill the last block of a forecast."""
    middle = replace(LARGER, lookback=60, recurrence=8, max_steps=30, knots=3)
    _, shorter = exported(middle, bundle, tmp_path / "shorter")
    net, longer = exported(LARGER, bundle, tmp_path / "longer")

    for graph in ("context.onnx", "decision.onnx"):
        assert nodes(longer / graph) <= nodes(shorter / graph) + FEW
    rng = np.random.default_rng(5)
    for rows in (1, 2, 33):
        windows = np.concatenate([random_bars(LARGER, rng, LARGER.lookback) for _ in range(rows)])
        context, forecast = ort.InferenceSession(longer / "context.onnx").run(None, {"bars": windows})
        inputs = {"context": context, "volume_forecast": forecast, **random_orders(LARGER, rng, rows)}
        answers = ort.InferenceSession(longer / "decision.onnx").run(None, inputs)
        with torch.no_grad():
            read = net.context(torch.from_numpy(windows))
            wanted = DecisionTable(net.decision)(**{name: torch.from_numpy(part) for name, part in inputs.items()})
        for ours, theirs in zip((context, forecast, *answers), (*read, *wanted), strict=True):
            assert np.allclose(ours, theirs.numpy(), rtol=1e-4, atol=1e-4)  # shaken weights: 4e-5 at most
