"""The page that describes the interface works without the internet."""

from __future__ import annotations

from app.demo.server import Server
from tests.desk.chromium import BUSY_MS, IN_CHROMIUM, Visit, browser, server, visit

__all__ = ["browser", "server", "visit"]
pytestmark = IN_CHROMIUM


def test_the_interface_is_described_without_another_host(visit: Visit, server: Server) -> None:
    page = visit.page
    page.goto("/docs")

    page.locator(".opblock-summary-description", has_text="Send an order").wait_for(timeout=BUSY_MS)

    assert visit.wrong == []
    assert {host for host in visit.hosts if host} == {server.address.removeprefix("http://")}


def test_a_call_is_tried_from_the_page(visit: Visit) -> None:
    page = visit.page
    page.goto("/docs")
    page.locator("[id^=operations-operations-healthz] button").first.click(timeout=BUSY_MS)
    page.get_by_role("button", name="Try it out").click(timeout=BUSY_MS)
    page.get_by_role("button", name="Execute").click(timeout=BUSY_MS)

    page.locator(".live-responses-table .response .microlight", has_text="ok").first.wait_for(timeout=BUSY_MS)

    assert visit.wrong == []
