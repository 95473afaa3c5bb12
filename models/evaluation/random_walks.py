"""Bar files of random walks, where nothing can be forecast."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.bars.walks import Walk, simulate_bars, write_bars
from app.domain.durations import DAY_SECONDS
from app.files import written_whole
from models.evaluation.evaluation_plan import WalkPlan
from models.evaluation.plan_parts import WalkHorizon
from models.evaluation.repurchase.repurchase_plan import Contract, RepurchasePlan

FOLDER = "random_walk"
BPS = 1e4
BAR_SECONDS = 900


def of_length(plan: WalkPlan, horizon: WalkHorizon) -> WalkPlan:
    """The plan with as many walks and bars as one length of orders asks for."""
    own = {"instruments": horizon.instruments, "bars": horizon.bars}
    return plan.model_copy(update={name: value for name, value in own.items() if value is not None})


def write_walks(plan: WalkPlan, folder: Path, bar_seconds: int = BAR_SECONDS) -> list[Path]:
    """One bar file per walk. A file that is there already is left: the same plan would write the same bars."""
    walk = Walk(bar_seconds=bar_seconds, sigma=plan.sigma_bps / BPS, volume_per_move=plan.volume_per_move)
    kind = f"-volume{plan.volume_per_move:g}" if plan.volume_per_move else ""
    kind += f"-{bar_seconds}s" if bar_seconds != BAR_SECONDS else ""
    paths = []
    for number in range(plan.instruments):
        path = folder / f"WALK{number}-seed{plan.seed}-{plan.bars}x{plan.sigma_bps:g}bps{kind}.parquet"
        if not path.exists():
            bars = simulate_bars(np.random.default_rng([plan.seed, number]), walk, 1, plan.bars)
            with written_whole(path) as draft:
                write_bars(draft, bars, 0, walk.bar_seconds)
        paths.append(path)
    return paths


def write_contract_walks(plan: RepurchasePlan, contract: Contract, folder: Path) -> list[Path]:
    """Walks of daily bars with the volatility of a repurchase contract."""
    walk = WalkPlan(instruments=plan.instruments, bars=plan.bars, sigma_bps=BPS * contract.sigma, seed=plan.seed)
    return write_walks(walk, folder, DAY_SECONDS)
