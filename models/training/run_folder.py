"""The folder of a training: `checkpoint.pt`, and `run.json` once the training is finished and measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.domain.errors import InvalidInput
from app.files import written_whole
from models.settings.train_plan import WALKS, TrainMarket, TrainPlan
from models.tapes.tapes import MarketTapes
from models.training.validation import Row

CHECKPOINT, RECORD = "checkpoint.pt", "run.json"


def read_record(path: Path) -> dict[str, Any]:
    """Raises InvalidInput where there is no record, or a damaged one."""
    try:
        record: dict[str, Any] = json.loads(path.read_text())
    except OSError:
        raise InvalidInput("unfinished_run", f"{path} is not there: the training is not finished") from None
    except ValueError as error:
        raise InvalidInput("bad_record", f"{path} cannot be read: {error}") from error
    return record


def write_record(path: Path, markets: Sequence[MarketTapes], plan: TrainPlan, table: list[Row]) -> None:
    tapes = [(market.name, tape) for market in markets for tape in market.tapes]
    first_open = min((int(tape.open_time[0]) for _, tape in tapes), default=0)
    record = {
        "data": sorted({f"{name}/{tape.instrument}" for name, tape in tapes}) or [WALKS],
        "start": datetime.fromtimestamp(first_open, UTC).date().isoformat(),
        "end": max(
            (market.train_end for market in plan.markets.values()), default=datetime.now(UTC).date()
        ).isoformat(),
        "bar_seconds": sorted({tape.bar_seconds for _, tape in tapes}),
        "markets": {name: _absolute(market).model_dump(mode="json") for name, market in plan.markets.items()},
        "metrics": table,
    }
    with written_whole(path) as draft:
        draft.write_text(json.dumps(record, indent=1) + "\n")


def _absolute(market: TrainMarket) -> TrainMarket:
    return market.model_copy(update={"path": market.path.resolve()})
