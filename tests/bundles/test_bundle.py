"""The service accepts a bundle only when all of it is right."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from app.bundles.bundle import LemPolicy, load_bundle
from app.bundles.errors import BundleError
from app.bundles.shipped import SHIPPED_BUNDLE
from app.decision.market import COLUMNS
from tests.market import some_rows

Card = dict[str, Any]
SIZE_MAX = 5_000_000
COUNT = 150
CARD: Card = json.loads((SHIPPED_BUNDLE / "card.json").read_text())
LOOKBACK, STEPS, WIDTH = CARD["lookback"], CARD["max_steps"], CARD["context"]["outputs"][0]["shape"][1]


@pytest.fixture(scope="module")
def shipped() -> LemPolicy:
    return load_bundle(SHIPPED_BUNDLE)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED_BUNDLE, tmp_path / SHIPPED_BUNDLE.name))


@pytest.mark.parametrize(("name", "steps"), [("lem-1", 24), ("lem-2", 256)])
def test_a_released_bundle_loads_knows_its_steps_and_is_small(name: str, steps: int) -> None:
    folder = SHIPPED_BUNDLE.parent / name

    policy = load_bundle(folder)

    assert policy.name.startswith(f"{name}@")
    assert policy.max_steps == steps
    assert sum(file.stat().st_size for file in folder.iterdir()) < SIZE_MAX


def test_the_shipped_graphs_say_nothing_of_the_machine_that_made_them() -> None:
    for file in SHIPPED_BUNDLE.glob("*.onnx"):
        content = file.read_bytes()

        assert b".py" not in content
        assert b"stack_trace" not in content


def test_a_context_is_a_function_of_its_window_alone(shipped: LemPolicy) -> None:
    """To the last bit: neither the other windows of the batch nor an earlier call changes it. A context that is read
    alone after a crash must be what it was among others."""
    policy, random = shipped, np.random.default_rng(0)
    case = next(case for case in policy.card.golden if case.graph == "context")
    window = np.asarray(case.inputs["bars"], dtype=np.float32)[:1]
    windows = np.concatenate([window * random.uniform(0.9, 1.1, window.shape).astype(np.float32) for _ in range(11)])

    alone = [policy.observe(windows[number : number + 1], policy.max_steps) for number in range(len(windows))]

    for count in (2, 3, 4, 7, 11, 33, 45):
        chosen = random.integers(0, len(windows), count)
        together = policy.observe(windows[chosen], policy.max_steps)
        assert np.array_equal(together.context, np.concatenate([alone[number].context for number in chosen]))
        assert np.array_equal(
            together.volume_forecast, np.concatenate([alone[number].volume_forecast for number in chosen])
        )


def test_the_shipped_bundle_is_prompt_since_its_decision_has_no_loops(shipped: LemPolicy) -> None:
    assert shipped.prompt


def test_an_order_is_decided_alike_to_the_last_bit_whatever_is_decided_with_it(shipped: LemPolicy) -> None:
    policy, random = shipped, np.random.default_rng(0)
    case = next(case for case in policy.card.golden if case.graph == "context")
    market = policy.observe(np.asarray(case.inputs["bars"], dtype=np.float32)[:1], policy.max_steps)
    orders = some_rows(
        COUNT,
        step=1 + np.arange(COUNT) % 12,
        filled_fraction=random.uniform(0.0, 0.9, COUNT),
        last_price=random.normal(100.0, 1.0, COUNT),
    )

    alone = [policy.propose(market, orders.take(np.array([number]))) for number in range(COUNT)]
    chosen = random.permutation(COUNT)[:77]
    together = policy.propose(market, orders.take(chosen))

    assert [alone[number].allocation[0] for number in chosen] == together.allocation.tolist()
    assert [alone[number].stop_probability[0] for number in chosen] == together.stop_probability.tolist()


def test_history_before_the_window_does_not_exist(shipped: LemPolicy) -> None:
    empty = np.zeros((1, shipped.lookback, len(COLUMNS)), dtype=np.float32)

    market = shipped.observe(empty, shipped.max_steps)

    assert np.isfinite(market.context).all()
    assert np.isfinite(market.volume_forecast).all()


def damage(field: str, value: object) -> Callable[[Card], None]:
    def change(card: Card) -> None:
        *path, last = field.split(".")
        part: Any = card
        for name in path:
            part = part[int(name)] if name.isdigit() else part[name]
        part[last] = value

    return change


def change_card(bundle: Path, change: Callable[[Card], None]) -> None:
    card: Card = json.loads((bundle / "card.json").read_text())
    change(card)
    (bundle / "card.json").write_text(json.dumps(card))


def mistaken(tensor: str, shape: tuple[int, ...], other: tuple[int, ...]) -> str:
    """A pattern of the message that a float32 tensor has one shape where another was told."""
    first, second = (re.escape(", ".join(map(str, ("*", *sizes)))) for sizes in (shape, other))
    return rf"{tensor} (as|is) float32\[{first}\].*\[{second}\]"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (damage("schema_version", 99), "schema_version"),
        (damage("columns", ["close"]), "columns"),
        (damage("state_columns", []), "state_columns"),
        (damage("scenarios", [["buy", "vwap", "quantity"]]), "scenarios"),
        (damage("context.sha256", "0" * 64), "checksum"),
        (damage("decision.inputs", []), "inputs"),
        (damage("lookback", LOOKBACK + 1), mistaken("bars", (LOOKBACK, 10), (LOOKBACK + 1, 10))),
        (
            damage("context.inputs.0.shape", ["B", LOOKBACK + 1, 10]),
            mistaken("bars", (LOOKBACK + 1, 10), (LOOKBACK, 10)),
        ),
        (damage("history_min", LOOKBACK + 1), f"history_min {LOOKBACK + 1} is above its lookback {LOOKBACK}"),
        (damage("max_steps", STEPS + 1), mistaken("volume_forecast", (STEPS,), (STEPS + 1,))),
        (damage("context.outputs.0.shape", ["B", WIDTH + 1]), mistaken("context", (WIDTH,), (WIDTH + 1,))),
        (damage("decision.inputs.3.dtype", "float32"), r"step as float32\[\*\].*int64\[\*\]"),
        (damage("decision.outputs.0.shape", ["B", 1]), r"allocation as float32\[\*, 1\]"),
        (damage("context.inputs.0.shape", [1, LOOKBACK, 10]), rf"bars as float32\[1, {LOOKBACK}, 10\]"),
        (damage("risk_aversions.default", float("inf")), "default"),
        (damage("golden.2.outputs.allocation", [0.123]), "golden case 2"),
        (damage("golden.2.outputs.allocation", []), "golden case 2: allocation is"),
        (damage("golden.2.outputs", {}), "golden case 2 cannot be replayed"),
        (damage("golden.2.inputs.context", [[1.0]]), "golden case 2 cannot be replayed"),
        (damage("golden", []), "no golden cases"),
        (damage("lookback", -1), "lookback"),
        (damage("surprise", 1), "surprise"),
    ],
)
def test_a_card_that_does_not_fit_is_refused_with_the_reason(
    copied: Path, change: Callable[[Card], None], reason: str
) -> None:
    change_card(copied, change)

    with pytest.raises(BundleError, match=reason):
        load_bundle(copied)


def test_a_damaged_graph_is_refused(copied: Path) -> None:
    content = bytearray((copied / "decision.onnx").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (copied / "decision.onnx").write_bytes(bytes(content))

    with pytest.raises(BundleError, match="checksum"):
        load_bundle(copied)


def test_a_missing_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"card\.json cannot be read"):
        load_bundle(tmp_path / "nothing")


def widened(card: Card) -> None:
    """The same context, one wider, wherever the card speaks of it."""
    for tensor in (card["context"]["outputs"][0], card["decision"]["inputs"][0]):
        tensor["shape"] = ["B", WIDTH + 1]


def deepened(card: Card) -> None:
    card["lookback"] = card["context"]["inputs"][0]["shape"][1] = LOOKBACK + 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (widened, mistaken(r"context\.onnx: its output context", (WIDTH,), (WIDTH + 1,))),
        (deepened, mistaken(r"context\.onnx: its input bars", (LOOKBACK, 10), (LOOKBACK + 1, 10))),
    ],
)
def test_a_card_that_agrees_with_itself_is_held_to_the_graphs(
    copied: Path, change: Callable[[Card], None], reason: str
) -> None:
    change_card(copied, change)

    with pytest.raises(BundleError, match=reason):
        load_bundle(copied)


def test_weights_beside_the_graph_are_refused(copied: Path) -> None:
    path = copied / "context.onnx"
    onnx.save_model(onnx.load(path), path, save_as_external_data=True, location="weights", size_threshold=0)
    card: Card = json.loads((copied / "card.json").read_text())
    card["context"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (copied / "card.json").write_text(json.dumps(card))

    with pytest.raises(BundleError, match=r"context\.onnx keeps weights in other files"):
        load_bundle(copied)
