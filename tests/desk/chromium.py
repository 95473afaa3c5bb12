"""A real Chromium on the pages of a real service."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from app.demo.server import Server, serving
from tests.api.wire import HISTORY, bars_json, instrument_json, order_json
from tests.builders import bars

CHROMIUM = shutil.which("chromium")
IN_CHROMIUM = [
    pytest.mark.spawns,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
"""What tests that open pages are marked with."""
ORDERS = 3
BUSY_MS = 30_000
"""How long a busy machine may take; what is promised is measured, not waited for."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(data_dir=tmp_path_factory.mktemp("desk") / "data") as server:
        with httpx.Client(base_url=server.address, timeout=60) as client:
            client.put("/v1/instruments/BTC-USDT", json=instrument_json())
            client.post("/v1/bars", json=bars_json(bars(HISTORY)))
            for number in range(ORDERS):
                body = order_json(client_order_id=f"oms-{number}", horizon={"min_steps": 6, "max_steps": 12})
                assert client.post("/v1/orders", json=body).status_code == 201
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page that is open, and what was wrong with it meanwhile."""

    page: Page
    wrong: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    page = browser.new_page(base_url=server.address, viewport={"width": 1280, "height": 800})
    visit = Visit(page)
    page.on("console", lambda said: visit.wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: visit.wrong.append(str(error)))
    page.on("request", lambda request: visit.hosts.add(request.url.split("/")[2]))
    yield visit
    page.close()


def faults_of_access(page: Page) -> list[tuple[str, str]]:
    """What axe finds serious or critical, with where it is; and a page that is wider than its window."""
    found = Axe().run(page).response["violations"]
    serious = [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")]
    fits = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return serious if fits else [*serious, ("wider than the window", page.url)]


def order_ids(server: Server) -> list[str]:
    return [each["order_id"] for each in httpx.get(f"{server.address}/v1/orders", timeout=60).json()["orders"]]


def post_next_bar(server: Server, missing: int = 0) -> None:
    """So many bars before it never come."""
    known = httpx.get(f"{server.address}/v1/bars", params={"instrument": "BTC-USDT", "limit": 1000}, timeout=60)
    count = len(known.json()["bars"]) + missing
    httpx.post(f"{server.address}/v1/bars", json=bars_json(bars(count + 1)[count:]), timeout=60)
