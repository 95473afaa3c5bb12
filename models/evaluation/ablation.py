"""Does each part of the network earn its place? The same training without that part is measured on the same orders, at
a usual length and at long ones.

Shapes: B orders (each in all 8 scenarios).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.backtest.bootstrap import DayBlocks, horizon_days
from app.domain.errors import InvalidInput
from app.files import written_whole
from models.network.lem import Lem
from models.settings.train_plan import TrainPlan
from models.settings.train_settings import TrainSettings
from models.tapes.tapes import MarketTapes
from models.training.many import each_trained, plan_for_any_machine, print_progress, use_one_thread
from models.training.train import trained, validation_markets
from models.training.validation import Row, horizons_of, judged

WHOLE = "whole"
VARIANTS: dict[str, dict[str, dict[str, float]]] = {
    WHOLE: {},
    "lstm_for_tkan": {"model": {"kan_layers": 0}},
    "no_variable_selection": {"model": {"variable_width": 0}},
    "no_attention": {"model": {"heads": 0}},
    "no_recurrence": {"model": {"recurrent_layers": 0, "heads": 0}},
    "no_context": {"model": {"context_width": 0}},
    "no_volume_bend": {"model": {"bend_width": 0}},
    "one_shared_network": {"model": {"knots": 0}},
    "no_simulated_data": {"training": {"simulated_share": 0.0}},
    "no_warm_start": {"training": {"warm_batches": 0}},
}
"""The settings of the plan that each variant changes. A size of zero leaves a part of the model out."""
MEASURES, TABLE = "measures.npz", "ablation.csv"
RESAMPLES = 2_000

Measures = dict[str, NDArray[Any]]
"""For each market and max_steps N `<market>.<N>.utility` and `<market>.<N>.tracking` [B] in units of volatility,
`<market>.<N>.day` [B] and the longest `<market>.<N>.bar_seconds`; for the variant its `parameters` and the `plan` that
trained it."""


def ablate(
    plan: TrainPlan, folder: Path, jobs: int, variants: Sequence[str] = tuple(VARIANTS), ray: str | None = None
) -> list[Row]:
    """Train every variant in a folder of its own, `jobs` at a time or on the cluster at `ray`, and write the table. A
    finished variant is not trained again; a stopped one goes on. Raises InvalidInput where the folder holds a variant
    of another plan."""
    run = partial(_measured, plan_for_any_machine(plan), folder.resolve())
    each_trained(run, variants, jobs, ray, "variant")
    measures = {name: dict(np.load(folder / name / MEASURES)) for name in variants}
    rows = [row for name in variants for row in _rows(name, measures[name], measures[WHOLE])]
    with written_whole(folder / TABLE) as draft, draft.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return rows


def variant_of(plan: TrainPlan, name: str) -> TrainPlan:
    changes = VARIANTS[name]
    config = replace(plan.config, **{size: int(value) for size, value in changes.get("model", {}).items()})
    settings = asdict(plan.settings) | changes.get("training", {})
    return plan.model_copy(update={"config": config, "settings": TrainSettings(**settings)})


def _measured(plan: TrainPlan, folder: Path, name: str) -> None:
    """Train and measure one variant in a process of its own, with one thread. The state at the end is measured: the
    best of a few validations would add chance to the comparison."""
    target, changed = folder / name / MEASURES, variant_of(plan, name)
    facts = _facts(changed)
    if target.exists():
        if str(np.load(target)["plan"]) != facts:
            raise InvalidInput("other_training", f"{target} was measured with another plan: use another --out")
        return
    use_one_thread()
    net = trained(changed, folder / name, partial(print_progress, name)).averaged.eval()
    parameters = sum(one.numel() for one in net.parameters() if one.requires_grad)
    measures: Measures = {"plan": np.array(facts), "parameters": np.array([parameters])}
    for market in validation_markets(changed):
        measures |= _measures_on(net, market)
    with written_whole(target) as draft, draft.open("wb") as file:
        np.savez(file, **measures)  # type: ignore[arg-type]  # its first keyword is a flag, and no array is named so


def _facts(plan: TrainPlan) -> str:
    """The settings that a variant's measures depend on; the bars are not among them."""
    return json.dumps(
        {
            "markets": {name: market.model_dump(mode="json") for name, market in plan.markets.items()},
            "model": asdict(plan.config),
            "training": asdict(plan.settings),
        }
    )


def _measures_on(net: Lem, market: MarketTapes) -> Measures:
    measures: Measures = {}
    for longest in horizons_of(net, market.tapes):
        bar_seconds = np.array(max(tape.bar_seconds for tape in market.tapes))
        figures = judged(net, market.tapes, longest)._asdict() | {"bar_seconds": bar_seconds}
        measures |= {f"{market.name}.{longest}.{figure}": values for figure, values in figures.items()}
    return measures


def _rows(name: str, measures: Measures, whole: Measures) -> list[Row]:
    """One row per market and max_steps. Differences are to the whole network on the same orders: a positive one is more
    utility, or a larger error."""
    rows: list[Row] = []
    for measured in [key.removesuffix(".day") for key in measures if key.endswith(".day")]:
        market, _, longest = measured.rpartition(".")
        days = horizon_days(int(longest), int(measures[f"{measured}.bar_seconds"]))
        blocks = DayBlocks(measures[f"{measured}.day"].astype(np.int64), horizon_days=days, resamples=RESAMPLES, seed=0)
        row: Row = {"variant": name, "parameters": int(measures["parameters"][0]), "market": market}
        row |= {"max_steps": int(longest), "orders": len(measures[f"{measured}.day"])}
        for figure in ("utility", "tracking"):
            values, wholes = measures[f"{measured}.{figure}"], whole[f"{measured}.{figure}"]
            low, high = blocks.interval(values - wholes)
            row |= {
                figure: round(float(values.mean()), 4),
                f"{figure}_difference": round(float((values - wholes).mean()), 4),
                f"{figure}_low": round(low, 4),
                f"{figure}_high": round(high, 4),
            }
        rows.append(row)
    return rows
