"""The page of operations in a real Chromium: it follows bars, and processes that die."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from app.demo.server import Server
from tests.api.wire import instrument_json
from tests.desk.chromium import (
    BUSY_MS,
    IN_CHROMIUM,
    Visit,
    browser,
    faults_of_access,
    post_next_bar,
    server,
    visit,
)
from tests.processes.replicas import replicas
from tests.servers import a_server

__all__ = ["browser", "server", "visit"]
pytestmark = IN_CHROMIUM


def test_a_bar_that_came_is_seen_without_reloading(visit: Visit, server: Server) -> None:
    page = visit.page
    page.goto("/desk/operations")
    page.locator("#link-state", has_text="live").wait_for(timeout=BUSY_MS)
    page.evaluate("window.same = true")
    known = httpx.get(f"{server.address}/v1/instruments/BTC-USDT", timeout=60).json()["quality"]["gaps_filled"]
    post_next_bar(server, missing=2)

    page.wait_for_function(
        "gaps => document.querySelectorAll('#feed-BTC-USDT td')[3].innerText === gaps",
        arg=str(known + 2),
        timeout=BUSY_MS,
    )

    assert page.evaluate("window.same")
    assert visit.wrong == []


def test_a_process_that_is_killed_leaves_the_page_and_its_instruments_go_on(browser: Browser, tmp_path: Path) -> None:
    with a_server("redis", "--appendonly", "yes") as url, replicas(tmp_path, url, 2) as (one, two):
        one.prepared()
        page = browser.new_page(base_url=str(one.client.base_url))
        page.goto("/desk/operations")
        rows = page.locator("#operations-replicas tbody tr")
        rows.nth(1).wait_for(timeout=BUSY_MS)

        two.process.kill()
        rows.nth(1).wait_for(state="detached", timeout=BUSY_MS)

        page.locator("#feed-BTC-USDT", has_text="this one").wait_for(timeout=BUSY_MS)
        page.close()


def test_a_thousand_instruments_are_filtered_as_it_is_typed(visit: Visit, server: Server) -> None:
    with httpx.Client(base_url=server.address, timeout=60) as client:
        for number in range(1_000):
            client.put(f"/v1/instruments/I-{number:04}", json=instrument_json())
    page = visit.page
    page.goto("/desk/operations")

    page.keyboard.press("/")
    page.keyboard.type("i-0999")
    page.locator("#feed-BTC-USDT").wait_for(state="detached", timeout=BUSY_MS)

    assert page.locator("tr[id^=feed-]").count() == 1
    assert page.evaluate("document.activeElement.id") == "q"
    assert visit.wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_has_no_serious_fault_of_access(visit: Visit, server: Server, scheme: str, width: int) -> None:
    models = httpx.get(f"{server.address}/v1/models", timeout=60).json()["models"]
    httpx.post(f"{server.address}/v1/models/{models[1]['name']}/shadow", timeout=60)
    page = visit.page
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto("/desk/operations")
    page.locator("#operations-shadow h2").wait_for(timeout=BUSY_MS)

    assert faults_of_access(page) == []
    assert visit.wrong == []
    assert visit.hosts == {server.address.removeprefix("http://")}
