"""The columns of every table. Each table is written to a CSV file of its name.

Slippage is a cost where it is positive, for buys and for sells. A gain is minus slippage: positive is good. `w` is
P95 - P5. `_sigma` stands for units of the volatility per bar that was known at the order's start.
"""

from __future__ import annotations

from models.evaluation.rivals import STOPPING_BASELINE

QUANTILES = {"median": 50, "p5": 5, "p95": 95, "q25": 25, "q75": 75}
FIGURES = ("mean", "std", *QUANTILES)
HORIZON = ("min_steps", "max_steps")
GROUP = ("side", "benchmark", "size_mode", *HORIZON)
INTERVAL = ("gain_bps_difference", "gain_bps_low", "gain_bps_high")
TRACKED = ("mean_absolute", "std", "w")
INTERVAL_SIGMA = ("gain_sigma_difference", "gain_sigma_low", "gain_sigma_high")

COLUMNS: dict[str, tuple[str, ...]] = {
    "distributions": (
        "market", "source", "policy", "risk_aversion", "published_index", *GROUP, "orders",
        "steps_used_mean", *(f"slippage_bps_{name}" for name in FIGURES),
        *(f"slippage_sigma_{name}" for name in FIGURES),
    ),
    "paired": (
        "market", "baseline", *GROUP, "orders", "days", "block_days", "block_span_days", "horizon_days", *INTERVAL,
        *INTERVAL_SIGMA,
    ),
    "frontier": (
        "market", "policy", "risk_aversion", "benchmark", *HORIZON, "orders", "gain_bps_mean", "gain_sigma_mean",
        "std_bps", "w_bps", "mean_absolute_bps",
    ),
    "frontier_paired": (
        "market", "baseline", *GROUP, "risk_aversion", "lem_w_bps", "baseline_w_bps", "no_wider", "orders", *INTERVAL,
    ),
    "costs": (
        "market", "order_size", "policy", "benchmark", *HORIZON, "orders", "gain_bps_mean", "std_bps", "w_bps",
        "steps_used_mean", *(f"{column}_to_twap" for column in INTERVAL),
        *(f"{column}_to_{STOPPING_BASELINE}" for column in INTERVAL),
    ),
    "months": ("market", "policy", "month", "benchmark", *HORIZON, "orders", "gain_bps_mean", "std_bps"),
    "tracking": (
        "market", "policy", "risk_aversion", "benchmark", "max_steps", "sessions", "orders",
        *(f"{name}_bps" for name in TRACKED), *(f"{name}_to_twap" for name in TRACKED),
        *(f"{name}_to_twap_{end}" for name in TRACKED for end in ("low", "high")),
        *(f"{name}_{figure}" for name in TRACKED for figure in ("best", "to_best", "to_best_low", "to_best_high")),
        "wildest_day", "wildest_day_share", "std_to_twap_without_wildest_day",
    ),
    "session_parts": (
        "market", "policy", "risk_aversion", "max_steps", "sessions", "part", "orders", "share_mean",
        "market_share_mean", "share_error", "mean_absolute_bps", "std_bps",
    ),
    "stop_calibration": (
        "market", "benchmark", *HORIZON, "probability_from", "probability_to", "decisions", "reached",
        "probability_mean", "advantage_sigma_mean", "advantage_sigma_error", "stopping_was_better",
    ),
    "stop_steps": (
        "market", "benchmark", *HORIZON, "step", "orders", "probability_mean", "stopped", "advantage_sigma_mean",
    ),
    "volume_errors": (
        "market", "policy", "max_steps", "step_ahead", "forecasts", "bias", "mae", "deviance", "correlation",
    ),
    "volume_deciles": ("market", "policy", "max_steps", "decile", "forecasts", "forecast_mean", "came_mean"),
    "walk": (
        "policy", "slice_cap", "even_slices", "risk_aversion", *HORIZON, "orders", "optimum_sigma", "gain_sigma_mean",
        "gain_sigma_error", "error_of_optimum", "share_of_optimum", "share_of_rule", "share_of_rule_error",
        "gain_sigma_std", "std_to_rule", "gain_sigma_p5", "gain_sigma_p95",
    ),
    "repurchase": (
        "bars", "sigma_year", *HORIZON, "size_mode", "slice_cap", "policy", "risk_aversion", "orders", "optimum_bps",
        "gain_bps_mean", "gain_bps_error", "std_bps", "gain_bps_p5", "gain_bps_p95", "stop_bps_mean", "stop_bps_error",
        "pace_bps_mean", "convexity_bps_mean", "steps_used_mean", "block_span_days", "horizon_days", *INTERVAL,
    ),
}  # fmt: skip
