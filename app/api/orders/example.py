"""An order and its answer in the OpenAPI document."""

from __future__ import annotations

from pydantic.config import JsonDict

EXAMPLE: JsonDict = {
    "client_order_id": "oms-42",
    "instrument": "BTC-USDT",
    "side": "buy",
    "quantity": "12.5",
    "benchmark": "vwap",
    "horizon": {"min_steps": 4, "max_steps": 12},
    "limits": {"max_slice_fraction": "0.25"},
}

OUT_EXAMPLE: JsonDict = EXAMPLE | {
    "order_id": "0b7e9f0e-5d0b-5a53-8c4c-2f6c2d6a3c11",
    "status": "working",
    "notional": None,
    "horizon": {"min_steps": 4, "max_steps": 12, "step_seconds": None, "earliest_end": None, "latest_end": None},
    "limits": {
        "max_slice_fraction": "0.25",
        "max_participation_rate": None,
        "limit_price": None,
        "finish_price": None,
        "avoid_open_minutes": None,
        "avoid_close_minutes": None,
    },
    "start_time": None,
    "risk_aversion": None,
    "completion": "within_limits",
    "fills": "assumed",
    "report_delay_seconds": None,
    "account": None,
    "model": "lem-2@3f2a9c41d07b",
    "step": 3,
    "filled_quantity": "2.4",
    "filled_notional": "240480",
    "leaves": "10.1",
    "unpriced": "0",
    "in_flight": "1.1",
    "over_filled": "0",
    "behind": "0",
    "avg_price": "100200",
    "arrival_price": "100150",
    "benchmark_price": "100210.5",
    "benchmark_partial": False,
    "slippage_bps": "-1.0478",
    "stop_reason": None,
    "replaces": None,
    "replaced_by": None,
}
