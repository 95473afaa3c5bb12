"""The ticket in a real Chromium: quoted as it is typed, sent once, replaced by the keyboard."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page

from app.demo.server import Server
from tests.desk.chromium import (
    BUSY_MS,
    IN_CHROMIUM,
    Visit,
    browser,
    faults_of_access,
    order_ids,
    server,
    visit,
)

__all__ = ["browser", "server", "visit"]
pytestmark = IN_CHROMIUM


def filled_in(page: Page, **changes: str) -> None:
    fields = {"instrument": "BTC-USDT", "size": "10", "min_steps": "6", "max_steps": "12"} | changes
    for name, text in fields.items():
        page.locator(f"#{name}").fill(text)


def test_the_quote_appears_as_the_ticket_is_typed(visit: Visit) -> None:
    page = visit.page
    page.goto("/desk/ticket")
    filled_in(page)

    page.locator("#quote-gain").wait_for(timeout=BUSY_MS)
    first = page.locator("#quote-end").inner_text()
    page.locator("#max_steps").fill("24")
    page.wait_for_function("was => document.querySelector('#quote-end')?.innerText !== was", arg=first, timeout=BUSY_MS)

    assert page.evaluate("document.activeElement.id") == "max_steps"
    assert "step" in page.locator("#quote-end").inner_text()
    assert visit.wrong == []


def test_what_is_wrong_is_said_beside_its_field_and_goes_once_it_is_mended(visit: Visit) -> None:
    page = visit.page
    page.goto("/desk/ticket")
    filled_in(page, size="10.001")

    page.locator("#wrong-size", has_text="multiple").wait_for(timeout=BUSY_MS)
    invalid = page.locator("#size").get_attribute("aria-invalid")
    page.locator("#size").fill("10")
    page.locator("#quote-gain").wait_for(timeout=BUSY_MS)

    assert invalid == "true"
    assert page.locator("#wrong-size").inner_text() == ""
    assert page.locator("#size").get_attribute("aria-invalid") is None
    assert visit.wrong == []


def test_an_order_is_sent_by_the_keyboard_alone(visit: Visit, server: Server) -> None:
    page = visit.page
    page.goto("/desk")
    page.keyboard.press("t")
    page.wait_for_url("**/desk/ticket")
    filled_in(page, client_order_id="by-hand")

    page.locator("#size").press("Enter")
    page.wait_for_url("**/desk/ticket/review")
    assert "between step 6 and step 12" in page.locator(".lead").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/orders/*")

    assert order_ids(server)[-1] in page.url
    assert visit.wrong == []


def test_a_double_click_sends_one_order(visit: Visit, server: Server) -> None:
    page = visit.page
    page.goto("/desk/ticket")
    filled_in(page, client_order_id="twice")
    page.get_by_role("button", name="Review").click()
    page.wait_for_url("**/desk/ticket/review")

    page.get_by_role("button", name="Send the order").dblclick()
    page.wait_for_url("**/desk/orders/*")

    orders = httpx.get(f"{server.address}/v1/orders", timeout=60).json()["orders"]
    assert [each["client_order_id"] for each in orders].count("twice") == 1


def test_an_order_is_replaced_from_its_page(visit: Visit, server: Server) -> None:
    page, order_id = visit.page, order_ids(server)[0]
    page.goto(f"/desk/orders/{order_id}")
    page.keyboard.press("r")
    page.wait_for_url("**/desk/ticket?replaces=*")

    page.locator("#size").fill("11")
    page.get_by_role("button", name="Review").click()
    page.wait_for_url("**/desk/ticket/review")
    told = page.locator("tbody tr").all_inner_texts()
    page.get_by_role("button", name="Replace the order").click()
    page.wait_for_url("**/desk/orders/*")

    assert [each.split() for each in told] == [["Size", "10", "11"]]
    assert order_id not in page.url
    assert page.get_by_role("link", name="another order").get_attribute("href") == f"/desk/orders/{order_id}"
    assert visit.wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_ticket_has_no_serious_fault_of_access(visit: Visit, server: Server, scheme: str, width: int) -> None:
    page = visit.page
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto("/desk/ticket")
    filled_in(page, size="10.001")
    page.locator("#wrong-size", has_text="multiple").wait_for(timeout=BUSY_MS)

    while_typed = faults_of_access(page)
    page.locator("#size").fill("10")
    page.locator("#quote-gain").wait_for(timeout=BUSY_MS)
    quoted = faults_of_access(page)
    page.get_by_role("button", name="Review").click()
    page.wait_for_url("**/desk/ticket/review")

    assert (while_typed, quoted, faults_of_access(page)) == ([], [], [])
    assert visit.wrong == []
    assert visit.hosts == {server.address.removeprefix("http://")}
