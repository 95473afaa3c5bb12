"""Where in a session orders stray from the market's volume, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from models.evaluation.backtest_run import Part
from models.evaluation.market_results import MarketResults
from models.evaluation.session_parts import PARTS
from models.evaluation.tables.row_figures import Row, row_of
from models.evaluation.tables.tracking import SHORT, WHOLE


def session_parts(results: MarketResults) -> Iterator[Row]:
    """By part of the session: the shares of the order and of the market's volume that trade in it, the mean distance
    between both, and the spread of the part's own share of the slippage against VWAP."""
    for run in results.runs(Part.PARTS):
        for short in (False, True):
            figures = results.session_parts(run, short=short)
            for index, part in enumerate(PARTS if len(figures["share"]) else ()):
                share, market_share, cost_bps = (
                    figures[name][:, index].astype(np.float64) for name in ("share", "market_share", "cost_bps")
                )
                yield {
                    **row_of(results, run),
                    "sessions": SHORT if short else WHOLE,
                    "part": part,
                    "orders": len(share),
                    "share_mean": float(share.mean()),
                    "market_share_mean": float(market_share.mean()),
                    "share_error": float(np.abs(share - market_share).mean()),
                    "mean_absolute_bps": float(np.abs(cost_bps).mean()),
                    "std_bps": float(cost_bps.std()),
                }
