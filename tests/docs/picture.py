"""The README's picture of why stopping earns, drawn from simulated bars with the shipped bundle.

    python -m tests.docs.picture    # writes docs/stopping.svg; the README's caption repeats figures that it shows

On the left one order, asked of the running service bar by bar; on the right many orders, from the backtest. The bars
are a random walk, on which no forecast of prices can help, so that all that is gained comes from choosing the end.
"""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import matplotlib as mpl
import numpy as np
import pyarrow.parquet as pq
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from app.bars.walks import Walk, simulate_bars
from app.demo.server import serving
from tests.docs.blocks import PICTURE

HISTORY, MIN_STEPS, MAX_STEPS, BAR_SECONDS = 600, 4, 12, 900
FIRST_OPEN = datetime(2025, 1, 6, tzinfo=UTC)
SEED = 3
"""Chosen because this order's path shows the idea; the other panel has every order."""
PRICE, AFTERWARDS, LEM, TWAP, SLICES = "#212529", "#adb5bd", "#c2255c", "#868e96", "#1971c2"
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: smaller, and a test can read it
    "svg.hashsalt": "lem",  # the same figures give the same bytes
    "font.size": 8.5,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
SIMULATE = ("simulate", "--out", "walks", "--instruments", "4", "--bars", "20000", "--seed", "11")
BACKTEST = (
    *("backtest", "--min-steps", str(MIN_STEPS), "--benchmarks", "vwap", "--size-modes", "quantity"),
    *("--start", "1970-01-08", "--bars", *(f"walks/WALK{number}-900s.parquet" for number in range(4))),
)

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOrder:
    """A buy order against VWAP: `close` and the running `vwap` of its windows 1..max_steps, and the `slices` that the
    service asked for, as shares of the order; the last of them ended it. `gain_bps` is minus its slippage."""

    close: Vector
    vwap: Vector
    slices: Vector
    gain_bps: float

    @property
    def end(self) -> int:
        return len(self.slices)


def one_order() -> OneOrder:
    """Run an order through a service of its own, over a simulated walk."""
    bars = _json_bars()
    with (
        TemporaryDirectory() as folder,
        serving(data_dir=Path(folder)) as server,
        httpx.Client(base_url=server.address, timeout=30) as client,
    ):
        _sent(client.put("/v1/instruments/WALK", json=_TERMS))
        _sent(client.post("/v1/bars", json={"bars": bars[:HISTORY]}))
        order = f"/v1/orders/{_sent(client.post('/v1/orders', json=_ORDER))['order_id']}"
        for bar in bars[HISTORY:]:
            _sent(client.post("/v1/bars", json={"bars": [bar]}))
        steps = _sent(client.get(f"{order}/schedule"))["steps"]
        slippage_bps = float(_sent(client.get(order))["slippage_bps"])
    window = bars[HISTORY:]
    volume = np.cumsum([float(bar["volume"]) for bar in window])
    return OneOrder(
        close=np.array([float(bar["close"]) for bar in window]),
        vwap=np.cumsum([float(bar["notional"]) for bar in window]) / volume,
        slices=np.array([float(step["fraction"]) for step in steps if step["state"] == "done"]),
        gain_bps=-slippage_bps,
    )


_TERMS = {"bar_seconds": BAR_SECONDS, "lot_size": "0.001", "tick_size": "0.01"}
_ORDER = {
    "client_order_id": "picture",
    "instrument": "WALK",
    "side": "buy",
    "quantity": "1000",
    "benchmark": "vwap",
    "horizon": {"min_steps": MIN_STEPS, "max_steps": MAX_STEPS},
}


def many_orders(policy: str) -> Vector:
    """What orders gained in bps, by the backtest, each over windows of its own."""
    with TemporaryDirectory() as folder:
        for command in (SIMULATE, (*BACKTEST, "--policy", policy, "--out", policy)):
            ran = [sys.executable, "-m", "app.cli", *command]
            subprocess.run(ran, cwd=folder, check=True, capture_output=True)
        slippage: Vector = pq.read_table(Path(folder) / policy / "orders.parquet")["slippage_bps"].to_numpy()
    return -slippage


def draw(order: OneOrder, gains: dict[str, Vector]) -> str:
    """The picture as SVG text."""
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(9.6, 3.6), layout="constrained", facecolor="white")
        left, right = figure.subplots(1, 2, width_ratios=(5, 4))
        _draw_path(left, order)
        _draw_gains(right, gains)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def _draw_path(axes: Axes, order: OneOrder) -> None:
    steps, end = np.arange(1, MAX_STEPS + 1), order.end
    axes.plot(steps[end - 1 :], order.close[end - 1 :], color=AFTERWARDS, label="price afterwards")
    axes.plot(steps[:end], order.close[:end], ".-", color=PRICE, label="price")
    axes.plot(steps[:end], order.vwap[:end], color=LEM, linewidth=2.0, label="VWAP so far")
    axes.axvline(end, color=LEM, linestyle=":")
    axes.annotate(
        f"the order ends here,\n{order.gain_bps:.1f} bps better than VWAP",
        (end + 0.35, 0.06),
        xycoords=axes.get_xaxis_transform(),
        color=LEM,
    )
    low, high = min(order.close.min(), order.vwap.min()), max(order.close.max(), order.vwap.max())
    axes.set_ylim(low - 0.45 * (high - low), high + 0.2 * (high - low))
    shares = axes.twinx()
    shares.bar(steps[:end], order.slices, width=0.5, color=SLICES, alpha=0.5)
    shares.set_ylim(0.0, 4.0 * order.slices.max())
    shares.set_axis_off()
    axes.set(xlabel="step (columns: the slices' sizes)", ylabel="price", title="One buy order")
    axes.legend(frameon=False, fontsize=7.5, loc="upper center", ncols=3)


def _draw_gains(axes: Axes, gains: dict[str, Vector]) -> None:
    edges = np.linspace(-15.0, 35.0, 81)
    for policy, name, colour in (("twap", "plain TWAP", TWAP), ("lem", "LEM", LEM)):
        shown = gains[policy]
        label = f"{name}: mean {shown.mean():z.1f}, better in {(shown > 0).mean():.0%}"
        axes.hist(shown, bins=edges.tolist(), histtype="stepfilled", color=colour, alpha=0.55, label=label)
    axes.axvline(0.0, color=PRICE, linewidth=0.8)
    axes.set_yticks([])
    axes.set(xlabel="gain against VWAP (bps)", title=f"{len(gains['lem']):,} orders")
    axes.legend(frameon=False, fontsize=7.5)


def _json_bars() -> list[dict[str, str]]:
    made = simulate_bars(np.random.default_rng(SEED), Walk(bar_seconds=BAR_SECONDS), 1, HISTORY + MAX_STEPS)
    names = ("open", "high", "low", "close", "volume", "notional")
    return [
        {
            "instrument": "WALK",
            "open_time": (FIRST_OPEN + timedelta(seconds=BAR_SECONDS * index)).isoformat(),
            **{name: f"{getattr(made, name)[0, index]:.6f}" for name in names},
        }
        for index in range(HISTORY + MAX_STEPS)
    ]


def _sent(response: httpx.Response) -> Any:
    return response.raise_for_status().json()


if __name__ == "__main__":
    PICTURE.write_text(draw(one_order(), {policy: many_orders(policy) for policy in ("lem", "twap")}), encoding="utf-8")
