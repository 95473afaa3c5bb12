"""What users of other engines complain of: fills that are lost, late, or taken for something else."""

from __future__ import annotations

from decimal import Decimal

from tests.complaints.oms import Oms, asked, steps


async def test_what_a_slice_did_not_trade_is_not_lost(oms: Oms) -> None:
    order = await oms.sent(fills="reported")
    piece = await oms.offered(order)
    assert piece is not None
    half = (Decimal(piece["quantity"]) / 2).quantize(Decimal("0.01"))

    await oms.reports(order, piece, half)
    await oms.client.post(f"/v1/orders/{order['order_id']}/slices/1/close")
    await oms.bars_close()
    await oms.trades_all(order)

    ended = await oms.shown(order)
    assert (ended["status"], ended["filled_quantity"], ended["over_filled"]) == ("completed", "10", "0")
    assert asked(await oms.slices(order)) == 10 + Decimal(piece["quantity"]) - half


async def test_a_slice_whose_fill_is_not_booked_yet_is_not_traded_again(oms: Oms) -> None:
    order = await oms.sent(fills="reported", report_delay_seconds=86_400, horizon=steps(4))
    await oms.bars_close(4)

    slices = await oms.slices(order)
    unbooked = await oms.shown(order)
    for piece in slices:
        if Decimal(piece["quantity"]):
            await oms.reports(order, piece, piece["quantity"])

    assert (asked(slices), unbooked["in_flight"]) == (10, "10")
    ended = await oms.shown(order)
    assert (ended["status"], ended["filled_quantity"], ended["over_filled"]) == ("completed", "10", "0")


async def test_a_fill_that_arrives_after_cancelled_is_booked(oms: Oms) -> None:
    order = await oms.sent(fills="reported")
    piece = await oms.offered(order)
    assert piece is not None
    await oms.client.post(f"/v1/orders/{order['order_id']}/cancel")

    booked = await oms.reports(order, piece, piece["quantity"])

    assert (booked["status"], booked["filled_quantity"], booked["in_flight"]) == ("cancelled", piece["quantity"], "0")


async def test_an_order_that_is_filled_in_part_is_not_shown_filled_and_one_of_no_fill_is_told_apart(oms: Oms) -> None:
    in_part = await oms.sent(fills="reported", horizon=steps(2), report_delay_seconds=0)
    nothing = await oms.sent(client_order_id="oms-2", fills="reported", horizon=steps(2), report_delay_seconds=0)
    piece = await oms.offered(in_part)
    assert piece is not None
    await oms.reports(in_part, piece, "0.01")

    await oms.bars_close(3)

    first, second = await oms.shown(in_part), await oms.shown(nothing)
    assert (first["status"], first["filled_quantity"], first["leaves"]) == ("expired", "0.01", "9.99")
    assert (second["status"], second["filled_quantity"], second["avg_price"]) == ("expired", "0", None)


async def test_a_slice_that_is_filled_in_part_by_the_market_leaves_its_rest_to_the_next_ones(oms: Oms) -> None:
    order = await oms.sent(limits={"max_participation_rate": "0.1"})

    await oms.bars_close(volume="1", notional=None)

    first, second = await oms.slices(order)
    shown = await oms.shown(order)
    assert Decimal(first["executed"]) == Decimal("0.1") < Decimal(first["quantity"])
    assert Decimal(shown["leaves"]) == Decimal("9.9")
    assert shown["in_flight"] == second["quantity"]


async def test_a_slice_that_nobody_reports_does_not_hang_and_is_told(oms: Oms) -> None:
    order = await oms.sent(fills="reported", horizon=steps(6))

    await oms.bars_close(3)
    first, *later = await oms.slices(order)
    meanwhile = await oms.shown(order)
    await oms.bars_close(5)

    assert Decimal(first["quantity"]) > 0
    assert Decimal(meanwhile["in_flight"]) == asked(later), "the first slice is given back"
    assert asked(await oms.slices(order)) > 10, "and is asked for again"
    ended = await oms.shown(order)
    assert (ended["status"], ended["in_flight"], ended["leaves"]) == ("expired", "0", "10")
