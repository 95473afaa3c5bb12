"""`python -m tests.desk.screenshots`: pictures of the pages for the documentation, and how fast the pages are with many
orders."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from time import perf_counter

import httpx
from playwright.sync_api import Page, sync_playwright

from app.demo.server import serving
from tests.api.wire import bars_json, instrument_json, order_json
from tests.builders import bars

FOLDER = Path(__file__).parents[2] / "docs" / "desk"
HISTORY, STEPS, LIVE = 400, 5, 2_000
SHOWN = [
    *(("buy", "vwap", "240"), ("sell", "vwap", "80"), ("buy", "twap", "125.5"), ("sell", "twap", "40")),
    *(("buy", "vwap", "12"), ("sell", "vwap", "310"), ("buy", "vwap", "65"), ("sell", "twap", "18")),
]
PAINT = """() => new Promise(told => new PerformanceObserver(list => {
  const found = list.getEntriesByName("first-contentful-paint")[0];
  if (found) told(found.startTime);
}).observe({ type: "paint", buffered: true }))"""
BYTES = "() => performance.getEntries().reduce((sum, each) => sum + (each.transferSize || 0), 0)"


def main() -> None:
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        serving(data_dir=Path(folder) / "data") as server,
        httpx.Client(base_url=server.address, timeout=120) as client,
        sync_playwright() as playwright,
    ):
        order_id = _prepare(client)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(base_url=server.address, viewport={"width": 1280, "height": 760})
        FOLDER.mkdir(exist_ok=True)
        pages = (
            *(("blotter", "/desk"), ("order", f"/desk/orders/{order_id}"), ("operations", "/desk/operations")),
            ("analysis", "/desk/analysis"),
        )
        for name, path in pages:
            for scheme in ["dark" if name == "order" else "light"]:
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                page.goto(path)
                page.screenshot(path=FOLDER / f"{name}-{scheme}.png")
            _tell(page, path)
        _ticket(page)
        page.set_viewport_size({"width": 390, "height": 760})
        page.goto("/desk")
        page.screenshot(path=FOLDER / "blotter-narrow.png")
        page.set_viewport_size({"width": 1280, "height": 760})
        _many(client, page)
        browser.close()


def _prepare(client: httpx.Client) -> str:
    client.put("/v1/instruments/BTC-USDT", json=instrument_json())
    client.post("/v1/bars", json=bars_json(bars(HISTORY)))
    ids = []
    for number, (side, benchmark, quantity) in enumerate(SHOWN, 1):
        rate = {"max_participation_rate": "0.05"} if quantity == "310" else {}
        body = order_json(
            client_order_id=f"desk-{number:03}",
            side=side,
            benchmark=benchmark,
            quantity=quantity,
            horizon={"min_steps": 6, "max_steps": 12},
            limits=rate,
        )
        answer = client.post("/v1/orders", json=body).json()
        ids += [answer["order_id"]] if "order_id" in answer else []
    for step in range(STEPS):
        client.post("/v1/bars", json=bars_json(bars(HISTORY + STEPS)[HISTORY + step : HISTORY + step + 1]))
    client.post(f"/v1/orders/{ids[3]}/pause")
    return str(ids[0])


def _ticket(page: Page) -> None:
    """The ticket as it is typed, and how long the quote takes to follow."""
    page.emulate_media(color_scheme="light")
    page.goto("/desk/ticket")
    for name, text in {"instrument": "BTC-USDT", "size": "240", "min_steps": "6", "max_steps": "11"}.items():
        page.locator(f"#{name}").fill(text)
    page.locator("#quote-gain").wait_for()
    was = page.locator("#quote-end").inner_text()
    began = perf_counter()
    page.locator("#max_steps").fill("12")
    page.wait_for_function("was => document.querySelector('#quote-end')?.innerText !== was", arg=was)
    print(f"ticket: quote {1_000 * (perf_counter() - began):.0f} ms after the last key")
    page.screenshot(path=FOLDER / "ticket-light.png")
    _tell(page, "/desk/ticket")


def _tell(page: Page, path: str) -> None:
    """Of a page that is opened with nothing kept by the browser."""
    fresh = page.context.browser
    assert fresh is not None
    visit = fresh.new_page(base_url=page.url.partition("/desk")[0])
    visit.goto(path)
    print(f"{path[:17]}: first paint {visit.evaluate(PAINT):.0f} ms, {visit.evaluate(BYTES) / 1_000:.0f} kB")
    visit.close()


def _many(client: httpx.Client, page: Page) -> None:
    for number in range(LIVE):
        body = order_json(client_order_id=f"many-{number:04}", horizon={"min_steps": 100, "max_steps": 120})
        client.post("/v1/orders", json=body).raise_for_status()
    page.goto("/desk")
    _tell(page, "/desk")
    for link in ("Slippage", "Next"):
        began = perf_counter()
        with page.expect_response("**/desk?*"):
            page.get_by_role("link", name=link).click()
        print(f"{LIVE} orders, {link}: {1_000 * (perf_counter() - began):.0f} ms")


if __name__ == "__main__":
    main()
