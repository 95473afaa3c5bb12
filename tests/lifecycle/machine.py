"""Orders at random over the HTTP application, held against a plain model after each step."""

from __future__ import annotations

from dataclasses import astuple
from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.api.wire import Json, instrument_json
from tests.builders import PRICE, at
from tests.lifecycle.desk import MARKET, NUMBERS, Desk, chosen, code_of, shown_in
from tests.lifecycle.plain_order import LOT, STEP, ZERO, PlainOrder

ORDERS_MAX = 4
RESTARTS_MAX = 1
HISTORY = 3
LOTS = st.integers(1, 400).map(lambda lots: lots * LOT)
CHOICES = st.integers(0, 1_000)
"""Which of what there is, counted round."""
FEW_STEPS = st.integers(1, 6)


class Lifecycle(Desk):
    """Anything that an OMS may do, in any order."""

    @initialize()
    def register(self) -> None:
        assert self.call("PUT", f"/v1/instruments/{self.symbol}", instrument_json()).status_code == 201
        self.feed(HISTORY)

    @rule(number=st.integers(1, 3))
    @precondition(lambda self: self.bars < len(MARKET) - 3)
    def bars_come(self, number: int) -> None:
        first = self.bars + 1
        self.feed(number)
        slices = {id(order): self.slices_of(order) for order in self.standing}
        for closed in map(at, range(first, self.bars + 1)):
            for order in self.standing:
                order.close_bar(closed)
                self.take_slice(order, closed, slices[id(order)])

    @rule(
        quantity=LOTS,
        reported=st.booleans(),
        min_steps=FEW_STEPS,
        more_steps=st.integers(0, 4),
        waits=st.sampled_from([0, 0, 0, 1, 2]),
        delay=st.sampled_from([None, 0, 900, 2_000]),
        side=st.sampled_from(["buy", "sell"]),
    )
    @precondition(lambda self: len(self.orders) < ORDERS_MAX)
    def send(
        self,
        quantity: Decimal,
        reported: bool,
        min_steps: int,
        more_steps: int,
        waits: int,
        delay: int | None,
        side: str,
    ) -> None:
        name, max_steps = f"oms-{next(NUMBERS)}", min_steps + more_steps
        body: Json = {
            "client_order_id": name,
            "instrument": self.symbol,
            "side": side,
            "quantity": str(quantity),
            "benchmark": "vwap",
            "horizon": {"min_steps": min_steps, "max_steps": max_steps},
            "fills": "reported" if reported else "assumed",
            "report_delay_seconds": delay,
        }
        if waits:
            body["start_time"] = at(self.bars + waits).isoformat()
        answer = self.taken("/v1/orders", body)
        order = PlainOrder(
            name=name,
            order_id=answer["order_id"],
            quantity=quantity,
            reported=reported,
            max_steps=max_steps,
            starts=at(self.bars + waits),
            delay=STEP if delay is None else timedelta(seconds=delay),
        )
        self.orders.append(order)
        self.take_slice(order, self.now, self.slices_of(order))

    @rule(choice=CHOICES)
    @precondition(lambda self: bool(self.said))
    def send_again(self, choice: int) -> None:
        """The same order or replace is answered as it stands; another one of that name is refused."""
        name = chosen(list(self.said), choice)
        path, body, answer = self.said[name]

        again = self.call("POST", path, body)
        other = self.call("POST", path, body | {"quantity": "999"})

        assert (again.status_code, again.json()["order_id"]) == (200, answer["order_id"])
        assert code_of(other) == (409, "client_order_id_reused")

    @rule(choice=CHOICES, piece=CHOICES, quantity=LOTS, of_asked=st.sampled_from([None, "1", "0.5", "1.5"]))
    @precondition(lambda self: bool(self.traded))
    def report(self, choice: int, piece: int, quantity: Decimal, of_asked: str | None) -> None:
        """Sent to any order of the chain, the fill moves the one that stands."""
        order = chosen(self.traded, choice)
        step = piece % len(order.slices) + 1
        asked = order.slices[step - 1].asked
        if of_asked is not None and asked:
            quantity = asked * Decimal(of_asked)
        name = f"exec-{next(NUMBERS)}"

        first = self.report_to(chosen(self.chain_of(order), choice), name, order, step, quantity)
        again = self.report_to(chosen(self.chain_of(order), choice + 1), name, order, step, quantity)
        other = self.report_to(order, name, order, step, quantity + LOT)

        order.fill(name, step, quantity)
        assert (first.status_code, first.json()["order_id"]) == (201, order.order_id), first.text
        assert (again.status_code, again.json()["order_id"]) == (200, order.order_id)
        assert code_of(other) == (409, "execution_id_reused")

    @rule(choice=CHOICES, fill=CHOICES, quantity=LOTS, busts=st.booleans())
    @precondition(lambda self: any(order.fills for order in self.standing))
    def revise(self, choice: int, fill: int, quantity: Decimal, busts: bool) -> None:
        order = chosen([order for order in self.standing if order.fills], choice)
        name = chosen(list(order.fills), fill)
        path = f"{self.path_of(chosen(self.chain_of(order), choice))}/fills/{name}"
        known = order.fills[name]

        if busts:
            answers = [self.call("POST", f"{path}/bust") for _ in range(2)]
            order.revise(name, ZERO, self.now, busted=True)
        else:
            correction = {"quantity": str(quantity), "price": str(PRICE)}
            answers = [self.call("POST", f"{path}/correct", correction) for _ in range(2)]
            if known.busted:
                assert {code_of(answer) for answer in answers} == {(409, "fill_busted")}
                return
            order.revise(name, quantity, self.now)
        assert {answer.status_code for answer in answers} == {200}, answers[0].text

    @rule(choice=CHOICES, piece=CHOICES)
    @precondition(lambda self: bool(self.traded))
    def close_slice(self, choice: int, piece: int) -> None:
        order = chosen(self.traded, choice)
        step = piece % len(order.slices) + 1

        answer = self.call("POST", f"{self.path_of(chosen(self.chain_of(order), choice))}/slices/{step}/close")

        order.close_slice(step)
        assert answer.status_code == 200, answer.text

    @rule(choice=CHOICES, what=st.sampled_from(["pause", "resume", "cancel"]))
    @precondition(lambda self: bool(self.orders))
    def tell(self, choice: int, what: str) -> None:
        order = chosen(self.orders, choice)

        answer = self.call("POST", f"{self.path_of(order)}/{what}")

        if order.left is not None:
            assert code_of(answer) == (409, "order_replaced")
        elif not order.live and not (what == "cancel" and order.status == "cancelled"):
            assert code_of(answer) == (409, "order_ended")
        else:
            assert answer.status_code == 200, answer.text
            after = {"pause": "paused", "cancel": "cancelled", "resume": "working" if order.slices else "accepted"}
            order.status = after[what]

    @rule(choice=CHOICES, quantity=LOTS, committed=st.booleans(), max_steps=st.integers(1, 10))
    @precondition(lambda self: bool(self.orders) and len(self.orders) < 2 * ORDERS_MAX)
    def replace(self, choice: int, quantity: Decimal, committed: bool, max_steps: int) -> None:
        """With `committed` down to just what is filled and in flight."""
        order = chosen(self.orders, choice)
        just = order.filled + order.in_flight
        quantity = just if committed and just else quantity
        if quantity % LOT:
            return
        first, path, name = self.said[order.name], f"{self.path_of(order)}/replace", f"oms-{next(NUMBERS)}"
        body = first[1] | {
            "client_order_id": name,
            "quantity": str(quantity),
            "horizon": {"min_steps": 1, "max_steps": max_steps},
        }
        refusal = order.refusal_of(quantity, max_steps)
        if refusal is not None:
            assert code_of(self.call("POST", path, body)) == (409, refusal)
            return
        answer = self.taken(path, body)
        new = order.replaced(name, answer["order_id"], quantity, max_steps)
        self.orders.append(new)
        self.take_slice(new, self.now, self.slices_of(new))

    @rule()
    @precondition(lambda self: bool(self.orders) and self.restarts < RESTARTS_MAX)
    def restart(self) -> None:
        """Nothing is another one afterwards: the model does not move."""
        self.service.restart()
        self.restarts += 1

    @invariant()
    def every_order_stands_as_in_the_model(self) -> None:
        """And is what is filled, in flight and left of it, at every instant."""
        for order in self.orders:
            answer = self.call("GET", self.path_of(order)).json()
            shown = shown_in(answer)
            assert astuple(shown) == astuple(order.shown), order
            assert answer["replaces"] == order.replaces
            assert shown.filled + shown.in_flight <= order.quantity + shown.over_filled
            assert shown.leaves == max(ZERO, order.quantity - shown.filled)

    @invariant()
    def slices_and_fills_are_linked_for_good(self) -> None:
        for order in self.standing:
            slices = self.slices_of(order)
            assert [piece["slice_id"] for piece in slices] == [piece.slice_id for piece in order.slices]
            assert [Decimal(piece["executed"]) for piece in slices] == [piece.executed for piece in order.slices]
            fills = self.call("GET", f"{self.path_of(order)}/fills").json()["fills"]
            counted = {fill["execution_id"]: ZERO if fill["busted"] else Decimal(fill["quantity"]) for fill in fills}
            assert counted == {name: fill.quantity for name, fill in order.fills.items()}
