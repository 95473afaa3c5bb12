"""An open page while its service dies, comes back, or lets its reader in no more."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from app.demo.server import Server, listening, serving
from tests.api.wire import HISTORY, bars_json, instrument_json, order_json
from tests.builders import bars
from tests.desk.chromium import BUSY_MS, IN_CHROMIUM, browser
from tests.processes.replicas import replicas, split
from tests.processes.test_keys import made, revoked
from tests.servers import a_server

__all__ = ["browser"]
pytestmark = IN_CHROMIUM


class Service:
    """A service that starts again at the same address, with the same data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = str(free.getsockname()[1])
        self.address = f"http://127.0.0.1:{self._port}"
        self._stack = ExitStack()
        self._server: Server | None = None

    def start(self) -> None:
        words = ("--port", self._port, "--clock", "bars", "--data-dir", str(self._folder / "data"))
        self._server = self._stack.enter_context(
            listening("app.cli", "serve", *words, log=self._folder / "log", environment={"LEM_REDIS_URL": ""})
        )

    def end(self, how: signal.Signals) -> None:
        assert self._server is not None
        self._server.process.send_signal(how)
        self._server.process.wait(60)
        self._stack.close()

    def post_order(self, name: str) -> str:
        return str(self._post("/v1/orders", order_json(client_order_id=name))["order_id"])

    def prepare(self) -> None:
        httpx.put(f"{self.address}/v1/instruments/BTC-USDT", json=instrument_json(), timeout=60)
        self._post("/v1/bars", bars_json(bars(HISTORY)))

    def _post(self, path: str, body: object) -> dict[str, object]:
        answer = httpx.post(self.address + path, json=body, timeout=60)
        assert answer.is_success, answer.text
        found: dict[str, object] = answer.json()
        return found


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    service.start()
    service.prepare()
    yield service
    service.end(signal.SIGTERM)


@pytest.fixture
def page(browser: Browser, service: Service) -> Iterator[Page]:
    page = browser.new_page(base_url=service.address)
    yield page
    page.close()


def await_link(page: Page, told: str) -> None:
    page.locator("#link-state", has_text=re.compile(told)).wait_for(timeout=BUSY_MS)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_an_open_page_goes_on_after_a_restart(page: Page, service: Service, how: signal.Signals) -> None:
    first = service.post_order("before")
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto("/desk")
    await_link(page, "live")
    page.evaluate("window.same = true")

    service.end(how)
    await_link(page, r"not connected; as of \d\d:\d\d:\d\d UTC")
    kept = page.locator(f"#row-{first}").count()
    with page.expect_event("requestfailed", lambda request: "sort=slippage" in request.url):
        page.get_by_role("link", name="Slippage").click()
    service.start()
    await_link(page, "live")
    second = service.post_order("after")
    page.locator(f"#row-{second}").wait_for(timeout=BUSY_MS)

    assert kept == 1
    assert page.locator(f"#row-{first}").count() == 1
    assert page.evaluate("window.same")
    assert wrong == []


def test_a_page_of_an_earlier_release_loads_itself_anew(page: Page, service: Service) -> None:
    page.goto("/desk")
    await_link(page, "live")
    page.evaluate("window.same = true; document.documentElement.dataset.edition = 'an earlier one'")

    service.end(signal.SIGTERM)
    service.start()
    page.wait_for_function("() => !window.same", timeout=BUSY_MS)
    await_link(page, "live")


def test_orders_that_another_process_decides_are_live_too(browser: Browser, tmp_path: Path) -> None:
    with a_server("redis", "--appendonly", "yes") as url, replicas(tmp_path, url, 2) as started:
        started[0].prepared()
        owner, other = split(started, url)
        page = browser.new_page(base_url=str(other.client.base_url))
        page.goto("/desk")
        await_link(page, "live")

        order_id = owner.order(horizon={"min_steps": 6, "max_steps": 12})
        page.locator(f"#row-{order_id} small", has_text="1/12").wait_for(timeout=BUSY_MS)
        owner.feed(HISTORY)

        page.locator(f"#row-{order_id} small", has_text="2/12").wait_for(timeout=BUSY_MS)
        page.close()


def test_a_page_whose_key_is_revoked_says_so(browser: Browser, tmp_path: Path) -> None:
    words = ("--data-dir", str(tmp_path / "data"))
    key = made(*words)
    with serving(data_dir=tmp_path / "data") as server:
        page = browser.new_page(base_url=server.address)
        page.goto("/desk")
        page.locator("#key").fill(key)
        page.keyboard.press("Enter")
        await_link(page, "live")

        revoked(key, *words)

        await_link(page, "the key is no longer good")
        page.goto("/desk")
        assert page.locator("#key").count() == 1
        page.close()


def test_a_page_whose_key_went_while_the_service_was_away_leads_to_the_form(browser: Browser, tmp_path: Path) -> None:
    key = made("--data-dir", str(tmp_path / "data"))
    service = Service(tmp_path)
    service.start()
    page = browser.new_page(base_url=service.address)
    page.goto("/desk")
    page.locator("#key").fill(key)
    page.keyboard.press("Enter")
    await_link(page, "live")

    service.end(signal.SIGTERM)
    await_link(page, "not connected")
    page.context.clear_cookies()
    service.start()

    page.locator("#key").wait_for(timeout=BUSY_MS)
    page.close()
    service.end(signal.SIGTERM)
