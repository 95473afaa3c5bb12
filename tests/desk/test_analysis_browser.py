"""The analysis and the ended orders in a real Chromium."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from app.demo.server import Server
from tests.api.wire import bars_json, order_json
from tests.builders import bars
from tests.desk.chromium import BUSY_MS, IN_CHROMIUM, Visit, browser, faults_of_access, server, visit

__all__ = ["browser", "server", "visit"]
pytestmark = IN_CHROMIUM


@pytest.fixture(scope="module")
def ended(server: Server) -> Server:
    """With orders that have ended."""
    with httpx.Client(base_url=server.address, timeout=60) as client:
        for number, side in enumerate(("buy", "sell", "sell")):
            client.post("/v1/orders", json=order_json(client_order_id=f"done-{number}", side=side))
        known = len(client.get("/v1/bars", params={"instrument": "BTC-USDT", "limit": 1000}).json()["bars"])
        client.post("/v1/bars", json=bars_json(bars(known + 30)[known:]))
    return server


@pytest.mark.usefixtures("ended")
def test_a_group_is_opened_and_exported(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    page.goto("/desk")
    page.keyboard.press("a")
    page.wait_for_url("**/desk/analysis")

    page.locator("#by-side").get_by_role("link", name="sell").click()
    page.wait_for_url("**/desk/analysis?side=sell")
    with page.expect_download(timeout=BUSY_MS) as download:
        page.get_by_role("link", name="Export CSV").click()
    download.value.save_as(tmp_path / "orders.csv")

    assert page.locator("#analysis-all td").first.inner_text() == "2"
    assert len((tmp_path / "orders.csv").read_text().splitlines()) == 3
    assert visit.wrong == []


@pytest.mark.usefixtures("ended")
def test_ended_orders_are_found_from_the_blotter(visit: Visit) -> None:
    page = visit.page
    page.goto("/desk")
    page.get_by_role("link", name="Ended orders").click()
    page.wait_for_url("**/desk/ended")

    page.get_by_role("link", name="done-0").click()
    page.wait_for_url("**/desk/orders/*")

    assert page.locator("#order-head .tag").inner_text() == "completed"
    assert visit.wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_pages_have_no_serious_fault_of_access(visit: Visit, ended: Server, scheme: str, width: int) -> None:
    page = visit.page
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]

    for path in ("/desk/analysis", "/desk/ended"):
        page.goto(path)
        assert faults_of_access(page) == []

    assert visit.wrong == []
    assert visit.hosts == {ended.address.removeprefix("http://")}
