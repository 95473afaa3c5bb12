"""Examples of cost analyses for the OpenAPI document."""

from __future__ import annotations

from pydantic.config import JsonDict

MODEL = "lem-2@4a719f3ad3ca"

EXAMPLE: JsonDict = {
    "order_id": "0b7e9f0e-5d0b-5a53-8c4c-2f6c2d6a3c11",
    "client_order_id": "oms-42",
    "status": "completed",
    "final": True,
    "partial": False,
    "instrument": "BTC-USDT",
    "side": "buy",
    "benchmark": "vwap",
    "size_mode": "quantity",
    "min_steps": 4,
    "max_steps": 12,
    "steps_used": 7,
    "started_at": "2025-01-06T14:30:00Z",
    "models": [MODEL],
    "size": "12.5",
    "filled": "12.5",
    "leaves": "0",
    "unpriced": "0",
    "avg_price": "100180",
    "arrival_price": "100150",
    "last_price": "100120",
    "benchmark_price": "100210",
    "slippage_bps": "-2.9937",
    "arrival_slippage_bps": "2.9955",
    "shortfall_bps": "2.9955",
    "to_end": {
        "steps": 7,
        "steps_max": 12,
        "partial": False,
        "vwap": "100210",
        "twap": "100205",
        "vwap_slippage_bps": "-2.9937",
        "twap_slippage_bps": "-2.4949",
    },
    "to_max_steps": {
        "steps": 12,
        "steps_max": 12,
        "partial": False,
        "vwap": "100190",
        "twap": "100188",
        "vwap_slippage_bps": "-0.9981",
        "twap_slippage_bps": "-0.7985",
    },
    "stop_earned_bps": "1.9956",
    "gain_parts": {"stop_bps": "3.5", "pace_bps": "-0.5063", "convexity_bps": "0"},
    "participation": {"overall": "0.0031", "busiest": "0.0054", "busiest_step": 7},
    "reversion_bps": {"1": "0.2", "5": "-1.1", "30": "4.8"},
}

_TOTALS: JsonDict = {
    "orders": 2,
    "final": 2,
    "partial": 0,
    "unpriced": 0,
    "figures": {
        "slippage_bps": {
            "orders": 2,
            "mean": "-2",
            "std": "1",
            "p5": "-2.9",
            "q25": "-2.5",
            "median": "-2",
            "q75": "-1.5",
            "p95": "-1.1",
        }
    },
}

SUMMARY_EXAMPLE: JsonDict = {
    "all": _TOTALS,
    "groups": [
        {
            "side": "buy",
            "size_mode": "quantity",
            "benchmark": "vwap",
            "min_steps": 4,
            "max_steps": 12,
            "model": MODEL,
            **_TOTALS,
        }
    ],
    "left_out": [],
}
