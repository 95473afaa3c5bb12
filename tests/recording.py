"""Record what the service and the backtest decide over one day, to compare two checkouts byte by byte.

    python -m tests.recording OUT [--checkout DIR]

`--checkout` names the checkout whose `lem` is run, this one by default: only its HTTP interface and its command line
are used, so older ones serve too. OUT then holds `slices.jsonl` (every answer of the service: orders of all 8 scenarios
with every kind of limit, late fills, a gap, a second posting, a restart in the middle), `orders.csv` (the backtest's
orders, each figure to its last digit) and `openapi.json`. Two checkouts that decide alike leave files of equal bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from app.bars.walks import Walk, simulate_bars, write_bars
from app.decision.policies.registry import BASELINES

ROOT = Path(__file__).parents[1]
BAR_SECONDS, HISTORY, DAY = 900, 700, 96
FIRST_OPEN = 1_735_689_600
"""2025-01-01, UTC."""
RESTART_AT, GAP_AT = 40, 60
MARKET = Walk(bar_seconds=BAR_SECONDS, volume_per_move=1.0, daily_swing=0.4)
"""Moves with volume, so that the model takes it for a market."""
SYMBOLS = ("BTC", "ETH", "SOL")
LIMITS: tuple[dict[str, Any], ...] = (
    {},
    {"limits": {"max_slice_fraction": "0.2"}},
    {"limits": {"max_participation_rate": "0.05"}, "risk_aversion": "6"},
    {"limits": {"limit_price": "{limit}"}, "risk_aversion": "0"},
    {"fills": "reported"},
    {"horizon": {"min_steps": 2, "max_steps": 6, "step_seconds": 2_700}},
    {"horizon": {"min_steps": 12, "max_steps": 24}},
    {"horizon": {"min_steps": 12, "max_steps": 12}, "risk_aversion": "6"},
)
BACKTESTS = (
    ("lem", ()),
    ("lem", ("--max-slice-fraction", "0.25", "--risk-aversion", "neutral", "--impact", "1", "--order-size", "0.01")),
    ("lem", ("--step-seconds", "2700", "--max-steps", "6", "--min-steps", "1,6")),
    *((baseline, ()) for baseline in BASELINES),
)


def day_of(symbol: str) -> list[dict[str, Any]]:
    """History and day of one instrument, as the feed sends them."""
    made = simulate_bars(np.random.default_rng([7, SYMBOLS.index(symbol)]), MARKET, 1, HISTORY + DAY)
    columns = ("open", "high", "low", "close", "volume", "notional")
    rows = zip(*(getattr(made, name)[0].tolist() for name in columns), strict=True)
    return [
        {
            "instrument": symbol,
            "open_time": f"{np.datetime64(FIRST_OPEN + BAR_SECONDS * index, 's')}Z",
            **{name: f"{value:.6f}" for name, value in zip(columns, row, strict=True)},
        }
        for index, row in enumerate(rows)
    ]


def bodies(at: int, price: float) -> Iterator[dict[str, Any]]:
    """The orders that are sent after bar `at` of the day: a scenario and a limit each, in turn."""
    scenarios = list(product(("buy", "sell"), ("vwap", "twap"), ("quantity", "notional")))
    for index, (side, benchmark, size_mode) in enumerate(scenarios):
        if (at + index) % 4:
            continue
        more = json.loads(json.dumps(LIMITS[(at + index // 2) % len(LIMITS)]).replace("{limit}", f"{price:.2f}"))
        yield {
            "client_order_id": f"{at}-{index}",
            "instrument": SYMBOLS[(at + index) % len(SYMBOLS)],
            "side": side,
            size_mode: "123.45" if size_mode == "quantity" else "4567.89",
            "benchmark": benchmark,
            "horizon": {"min_steps": 1 + at % 9, "max_steps": 12},
        } | more


@contextmanager
def service(checkout: Path, data: Path) -> Iterator[httpx.Client]:
    command = [sys.executable, "-m", "app.cli", "serve", "--clock", "bars", "--port", "0", "--data-dir", str(data)]
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    process = subprocess.Popen(command, cwd=checkout, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        with httpx.Client(base_url=line.removeprefix("listening on ").strip(), timeout=60) as client:
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


class Recorder:
    """Drives one service over the day and keeps each of its answers."""

    def __init__(self, out: Path) -> None:
        self.out = out.open("w")
        self.orders: list[dict[str, Any]] = []
        self.executions = 0

    def call(self, client: httpx.Client, method: str, path: str, body: Any = None) -> Any:
        answer = client.request(method, path, json=body)
        self.out.write(json.dumps([method, path, answer.status_code, answer.json()], sort_keys=True) + "\n")
        return answer.json()

    def register(self, client: httpx.Client, days: dict[str, list[dict[str, Any]]]) -> None:
        for symbol, bars in days.items():
            terms = {"bar_seconds": BAR_SECONDS, "lot_size": "0.01", "tick_size": "0.01", "min_notional": "10"}
            self.call(client, "PUT", f"/v1/instruments/{symbol}", terms)
            self.call(client, "POST", "/v1/bars", {"bars": bars[:HISTORY]})

    def bar(self, client: httpx.Client, days: dict[str, list[dict[str, Any]]], at: int) -> None:
        """One bar of every instrument, all that follows from it, and the orders that come before the next."""
        if at in (GAP_AT, GAP_AT + 1):  # these bars never come
            return
        bars = [day[HISTORY + at] for day in days.values()]
        self.call(client, "POST", "/v1/bars", {"bars": bars})
        if at % 10 == 0:
            self.call(client, "POST", "/v1/bars", {"bars": bars})
        for order in self.orders:
            path = f"/v1/orders/{order['order_id']}"
            if order["status"] in ("accepted", "working"):
                piece = self.call(client, "GET", f"{path}/slices/next")["slice"]
                order["status"] = self.call(client, "GET", path)["status"]
                self._report(client, order, piece, at)
                if at % 8 == 0:
                    self.call(client, "GET", f"{path}/schedule")
        for body in bodies(at, float(bars[0]["close"])):
            order = self.call(client, "POST", "/v1/orders", body)
            if "order_id" in order:
                self.orders.append(order)
        if at % 13 == 12:
            self.call(client, "POST", f"/v1/orders/{self.orders[-3]['order_id']}/cancel")

    def _report(self, client: httpx.Client, order: dict[str, Any], piece: dict[str, Any] | None, at: int) -> None:
        """Two fills make up the newest slice; every third one only in part."""
        if order["fills"] != "reported" or piece is None or float(piece["quantity"]) == 0.0:
            return
        share = 0.4 if piece["step"] % 3 == 0 else 0.5
        for _ in range(2):
            self.executions += 1
            fill = {
                "execution_id": f"exec-{self.executions}",
                "slice_id": piece["slice_id"],
                "quantity": f"{float(piece['quantity']) * share:.6f}",
                "price": "99.5",
                "executed_at": piece["window"]["start"],
            }
            self.call(client, "POST", f"/v1/orders/{order['order_id']}/fills", fill)

    def conclude(self, client: httpx.Client) -> None:
        for order in self.orders:
            self.call(client, "GET", f"/v1/orders/{order['order_id']}")
            self.call(client, "GET", f"/v1/orders/{order['order_id']}/schedule")
        self.call(client, "GET", "/v1/orders?limit=1000")
        self.out.close()


def record_service(checkout: Path, out: Path) -> None:
    days = {symbol: day_of(symbol) for symbol in SYMBOLS}
    recorder = Recorder(out / "slices.jsonl")
    with TemporaryDirectory() as folder:
        data = Path(folder)
        with service(checkout, data) as client:
            recorder.register(client, days)
            for at in range(RESTART_AT):
                recorder.bar(client, days, at)
        with service(checkout, data) as client:
            for at in range(RESTART_AT, DAY):
                recorder.bar(client, days, at)
            recorder.conclude(client)
            document = client.get("/openapi.json").json()
    (out / "openapi.json").write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")


def record_backtest(checkout: Path, out: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    with TemporaryDirectory() as folder, (out / "orders.csv").open("wb") as kept:
        path = Path(folder) / f"BTC-{BAR_SECONDS}s.parquet"
        made = simulate_bars(np.random.default_rng(7), MARKET, 1, HISTORY + 10 * DAY, first_open=FIRST_OPEN)
        write_bars(path, made, 0, BAR_SECONDS, first_open=FIRST_OPEN)
        for number, (policy, more) in enumerate(BACKTESTS):
            result = Path(folder) / str(number)
            command = [sys.executable, "-m", "app.cli", "backtest", "--bars", str(path), "--out", str(result)]
            subprocess.run([*command, "--policy", policy, *more], cwd=checkout, env=environment, check=True)
            pacsv.write_csv(pq.read_table(result / "orders.parquet"), kept)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--checkout", type=Path, default=ROOT)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    record_service(given.checkout.resolve(), given.out)
    record_backtest(given.checkout.resolve(), given.out)


if __name__ == "__main__":
    main()
