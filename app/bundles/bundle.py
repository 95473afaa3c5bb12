"""Load a bundle, refuse a wrong one, and answer as a policy.

Shapes: G windows, L lookback, C columns, H context width, N steps, B orders, K state columns.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from pydantic import ValidationError

from app.bundles.calibration import calibration_of
from app.bundles.card import CARD_FILE, Card, GoldenCase, GraphCard
from app.bundles.contract import check_card, check_file, check_graph
from app.bundles.errors import BundleError
from app.bundles.inputs import state_matrix
from app.decision.market import Floats, Market
from app.decision.policy import Proposal, Rows
from app.decision.scenarios import TWAP_TWIN

GOLDEN_TOLERANCE = 1e-5
"""Largest difference from a golden output, relative to the output where that is above 1."""
DIGEST_LENGTH = 12
NO_VOLUME = 1e-9
"""Base units over a whole horizon: where no more is expected than that, the feed has no volume."""
BLOCK_ROWS = 4
"""Graphs round differently at the edges of a batch: onnxruntime's loops work on 4 floats at a time, and its matrix
products on single rows or on several. In whole blocks an order's answer, and a window's, is the same to the last bit
whatever is asked with it, and so are the slices after a crash in the middle of a batch."""
CONTEXT_ROWS_MAX = 32
"""Windows that the graph reads at a time: more of them gain nothing and take memory."""
LOOPS = frozenset({"If", "Loop", "Scan"})
"""Operators whose time follows from the values that they are given."""

Arrays = dict[str, NDArray[np.generic]]
Doubles = dict[str, NDArray[np.float64]]


class LemPolicy:
    """A bundle as a policy. Slices record its `name`, which is `<card name>@<digest>`. It is `prompt` where its
    decision has no loops: a few orders are decided in a time that its golden cases have shown."""

    def __init__(
        self,
        card: Card,
        context: onnxruntime.InferenceSession,
        decision: onnxruntime.InferenceSession,
        *,
        prompt: bool = False,
    ) -> None:
        self.prompt = prompt
        self.card = card
        self.name = bundle_name(card)
        self.lookback, self.history_min, self.max_steps = card.lookback, card.history_min, card.max_steps
        self.risk_aversions = card.risk_aversions.model_dump()
        self.risk_aversion: float = card.risk_aversions.default
        self.calibration = calibration_of(card.calibration)
        self._context, self._decision = context, decision

    def observe(self, windows: Floats, steps: int) -> Market:
        """The graph foresees `max_steps` steps, whatever `steps` are asked for."""
        read = [
            self._read(windows[first : first + CONTEXT_ROWS_MAX])
            for first in range(0, max(1, len(windows)), CONTEXT_ROWS_MAX)
        ]
        context, volume_forecast = (np.concatenate(parts) for parts in zip(*read, strict=True))
        return Market(context=context, volume_forecast=volume_forecast)

    def _read(self, windows: Floats) -> list[Floats]:
        bars = windows[_in_blocks(len(windows))]
        answers = self._context.run(["context", "volume_forecast"], {"bars": bars})
        return [answer[: len(windows)] for answer in answers]

    def propose(self, market: Market, rows: Rows) -> Proposal:
        forecast = market.forecast_from(rows.market, rows.windows_unseen)
        volume = rows.benchmark_volume + np.add.reduce(forecast, axis=1)
        inputs: Arrays = {
            "context": market.context[rows.market],
            "volume_forecast": forecast,
            "state": state_matrix(rows),
            "step": rows.step,
            # A VWAP of nothing is a TWAP.
            "scenario": np.where(volume > NO_VOLUME, rows.scenario, TWAP_TWIN[rows.scenario]),
        }
        chosen = _in_blocks(len(rows))
        blocks = {name: values[chosen] for name, values in inputs.items()}
        answers: list[Floats] = self._decision.run(["allocation", "stop_probability"], blocks)
        allocation, stop_probability = (answer[: len(rows)].astype(np.float64) for answer in answers)
        return Proposal(allocation=allocation, stop_probability=stop_probability)

    def replay_golden(self) -> None:
        """Raises BundleError where a graph does not give what its card says that torch gave."""
        if {case.graph for case in self.card.golden} != {"context", "decision"}:
            raise BundleError("the card has no golden cases for one of its graphs")
        for number, case in enumerate(self.card.golden):
            try:
                wanted, answers = self._answers(case)
            except Exception as error:  # onnxruntime raises a family of its own without a common base
                raise BundleError(f"golden case {number} cannot be replayed: {error}") from error
            for name, answer in answers.items():
                if not wanted[name].size or answer.shape != wanted[name].shape:
                    raise BundleError(f"golden case {number}: {name} is {answer.shape}, not {wanted[name].shape}")
                difference = np.abs(answer - wanted[name]) / np.maximum(1.0, np.abs(wanted[name]))
                if not (difference <= GOLDEN_TOLERANCE).all():  # NaN fails too
                    raise BundleError(f"golden case {number}: {name} is off by {difference.max():.2g}")

    def _answers(self, case: GoldenCase) -> tuple[Doubles, Doubles]:
        """What the case wants, and what the graph gives."""
        session = self._context if case.graph == "context" else self._decision
        described = self.card.context if case.graph == "context" else self.card.decision
        inputs: Arrays = {each.name: np.asarray(case.inputs[each.name], dtype=each.dtype) for each in described.inputs}
        names = [tensor.name for tensor in described.outputs]
        wanted = {name: np.asarray(case.outputs[name], dtype=np.float64) for name in names}
        answers = zip(names, session.run(names, inputs), strict=True)
        return wanted, {name: answer.astype(np.float64) for name, answer in answers}


@lru_cache(maxsize=CONTEXT_ROWS_MAX)
def _in_blocks(count: int) -> NDArray[np.int64]:
    """The rows of a batch in whole blocks: the last one is repeated. Nobody may write into what is kept."""
    rows = np.minimum(np.arange(count + -count % BLOCK_ROWS), count - 1)
    rows.flags.writeable = False
    return rows


def load_bundle(directory: Path) -> LemPolicy:
    """Check the card, both graphs' checksums, files and interfaces, and replay the golden cases. Raises BundleError."""
    card = read_card(directory)
    check_card(card)
    context, _ = _session(directory, "context", card.context)
    decision, operators = _session(directory, "decision", card.decision)
    policy = LemPolicy(card, context, decision, prompt=not LOOPS & operators)
    policy.replay_golden()
    return policy


def bundle_name(card: Card) -> str:
    """What slices record as `model`: with a digest of all that the bundle's behaviour depends on, which is both graphs
    and the named risk aversions."""
    text = f"{card.context.sha256}{card.decision.sha256}{card.risk_aversions.model_dump_json()}"
    return f"{card.name}@{hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]}"


def read_card(directory: Path) -> Card:
    """Only the form of the card is checked. Raises BundleError."""
    path = directory / CARD_FILE
    try:
        return Card.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BundleError(f"{path} is not a valid card: {field}: {first['msg']}") from error


def _session(directory: Path, name: str, card: GraphCard) -> tuple[onnxruntime.InferenceSession, frozenset[str]]:
    """The graph, and the operators in it."""
    path = directory / f"{name}.onnx"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != card.sha256:
        raise BundleError(f"{path} has the checksum {found}; the card says {card.sha256}")
    operators = check_file(path, content)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_order = onnxruntime.ExecutionOrder.PRIORITY_BASED  # as written: what was just made is at hand
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a family of its own without a common base
        raise BundleError(f"{path} cannot be loaded: {error}") from error
    check_graph(path, card, session.get_inputs(), session.get_outputs())
    return session, operators
