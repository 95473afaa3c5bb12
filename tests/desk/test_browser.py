"""The pages in a real Chromium: they stay up to date, ask no other host, and say nothing wrong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from app.demo.server import Server, serving
from tests.api.wire import HISTORY, bars_json, instrument_json, order_json
from tests.builders import bars

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.spawns,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
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


def order_ids(server: Server) -> list[str]:
    return [each["order_id"] for each in httpx.get(f"{server.address}/v1/orders", timeout=60).json()["orders"]]


def post_next_bar(server: Server) -> None:
    known = httpx.get(f"{server.address}/v1/bars", params={"instrument": "BTC-USDT", "limit": 1000}, timeout=60)
    count = len(known.json()["bars"])
    httpx.post(f"{server.address}/v1/bars", json=bars_json(bars(count + 1)[count:]), timeout=60)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_pages_have_no_serious_fault_of_access_and_ask_no_other_host(
    visit: Visit, server: Server, scheme: str, width: int
) -> None:
    page = visit.page
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]

    for path in ("/desk", f"/desk/orders/{order_ids(server)[0]}", "/desk/login"):
        page.goto(path)
        found = Axe().run(page).response["violations"]
        assert [
            (each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")
        ] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    assert visit.wrong == []
    assert visit.hosts == {server.address.removeprefix("http://")}


def test_a_bar_changes_an_open_page_within_a_second(visit: Visit, server: Server) -> None:
    page, order_id = visit.page, order_ids(server)[0]
    page.goto("/desk")
    page.locator("#link-state", has_text="live").wait_for(timeout=BUSY_MS)
    before = page.locator(f"#row-{order_id} .progress").get_attribute("aria-label")
    post_next_bar(server)
    began = perf_counter()

    page.wait_for_function(
        "([id, before]) => document.querySelector(`#row-${id} .progress`).getAttribute('aria-label') !== before",
        arg=[order_id, before],
        timeout=BUSY_MS,
    )

    assert perf_counter() - began < 1.0
    assert visit.wrong == []


def test_an_order_is_opened_paused_and_resumed_by_the_keyboard(visit: Visit) -> None:
    page = visit.page
    page.goto("/desk")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.locator("#order-head").wait_for(timeout=BUSY_MS)

    for done, offered in (("paused", "Resume"), ("working", "Pause")):
        page.keyboard.press("p")
        page.locator("dialog[open] button").wait_for(timeout=BUSY_MS)
        page.keyboard.press("Enter")
        page.locator("#order-head .tag", has_text=done).first.wait_for(timeout=BUSY_MS)
        assert page.locator("[data-key=p]").inner_text() == offered

    assert visit.wrong == []


def test_the_filter_works_as_it_is_typed(visit: Visit) -> None:
    page = visit.page
    page.goto("/desk")

    page.keyboard.press("/")
    page.keyboard.type("oms-2")
    page.locator(".row-link").nth(1).wait_for(state="detached", timeout=BUSY_MS)

    assert page.locator(".row-link").inner_text() == "oms-2"
    assert page.evaluate("document.activeElement.id") == "q"
    assert visit.wrong == []
