"""The answer of `POST /v1/quotes` in the OpenAPI document."""

from __future__ import annotations

from pydantic.config import JsonDict

OUT_EXAMPLE: JsonDict = {
    "instrument": "BTC-USDT",
    "side": "buy",
    "benchmark": "vwap",
    "quantity": "12.5",
    "notional": "1252500",
    "last_price": "100200",
    "gain_bps": {"mean": "8.1", "std": "13.9", "p5": "-9.8", "p50": "6.4", "p95": "31.2"},
    "gain_notional": {"mean": "1014.525", "std": "1740.975", "p5": "-1227.45", "p50": "801.6", "p95": "3907.8"},
    "pace_and_stop_gain_bps": "8.1",
    "convexity_gain_bps": "0",
    "cost": {"half_spread_bps": "0.5", "impact_bps": "1.2", "total_bps": "1.7", "total_notional": "212.925"},
    "net_gain_bps": "6.4",
    "earliest_end": {"step": "4", "time": "2025-01-06T15:30:00Z"},
    "expected_end": {"step": "8.13", "time": "2025-01-06T16:45:00Z"},
    "latest_end": {"step": "12", "time": "2025-01-06T17:30:00Z"},
    "filled_fraction": "1",
    "participation": {"mean": "0.0021", "busiest_slice": "0.0064"},
    "steps": [
        {
            "step": 1,
            "window": {"start": "2025-01-06T14:30:00Z", "end": "2025-01-06T14:45:00Z"},
            "fraction": "0.091",
            "end_probability": "0",
            "ended_by_probability": "0",
        }
    ],
    "rests_on": {
        "basis": "calibration",
        "calibrated_on": {
            "market": "crypto_15m",
            "bar_seconds": 900,
            "orders": 48000,
            "start": "2024-07-01T00:00:00Z",
            "end": "2025-01-01T00:00:00Z",
        },
        "model": "lem-2@3f2a9c41d07b",
        "risk_aversion": "0.3",
        "volatility_bps": "21.4",
        "volatility_bars": 97,
        "history_bars": 480,
        "continuations": 256,
        "as_of": "2025-01-06T14:30:00Z",
    },
    "warnings": [],
}
