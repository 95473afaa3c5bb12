"""What users of other engines want and miss: all of it at once."""

from __future__ import annotations

from decimal import Decimal

from tests.complaints.oms import Oms


async def test_vwap_notional_participation_prometheus_and_cost_analysis_come_together(oms: Oms) -> None:
    order = await oms.sent(quantity=None, notional="100", limits={"max_participation_rate": "0.5"})

    await oms.bars_close(12)
    ended = await oms.shown(order)
    analysis = (await oms.client.get(f"/v1/orders/{order['order_id']}/tca")).json()
    metrics = (await oms.client.get("/metrics")).text

    assert (ended["status"], ended["benchmark"], ended["filled_notional"]) == ("completed", "vwap", "100")
    assert analysis["slippage_bps"] == ended["slippage_bps"]
    assert analysis["to_end"]["vwap"] == ended["benchmark_price"]
    overall, busiest = (Decimal(analysis["participation"][name]) for name in ("overall", "busiest"))
    assert 0 < overall <= busiest <= Decimal("0.5")
    assert 'lem_orders_total{status="completed"} 1.0' in metrics
