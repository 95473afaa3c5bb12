"""Values survive the store unchanged, however odd."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta, timezone
from decimal import Decimal
from itertools import product

import pytest

from app.domain.benchmark import BenchmarkSums
from app.domain.earlier import Earlier
from app.domain.fills import FillWarning
from app.domain.invariants import require_sound
from app.domain.lifecycle import Status, StopReason
from app.domain.order import Benchmark, Fills, Horizon, HorizonInTime, Limits, Side, SizeMode
from app.domain.order_words import Completion, RiskAversion
from app.domain.projection import Bound
from app.domain.reports import apply_fill
from app.domain.slice import Basis, Window
from app.domain.state import OrderState
from app.domain.transitions import close_window, take
from app.store import codec
from app.store.forms import SHORT_VERSION, WITHOUT_INPUTS
from app.store.order_codec import mandate_text
from app.store.slice_codec import INPUTS, slice_from, slice_text
from app.store.state_codec import slices_from, state_from, state_text
from tests.builders import (
    PRICE,
    START,
    a_bar,
    a_decided,
    a_fill,
    a_projection,
    a_window,
    an_instrument,
    an_order,
    an_order_state,
    at,
)
from tests.store import former_arrays, former_texts

VALUES_OF_A_STATE_MAX = 26
"""More than a slice has."""

FULL = an_order(
    side=Side.SELL,
    size=Decimal("1234567.89"),
    size_mode=SizeMode.NOTIONAL,
    benchmark=Benchmark.TWAP,
    horizon=Horizon(min_steps=2, max_steps=5, step_seconds=1800),
    horizon_in_time=HorizonInTime(earliest_end=at(4), latest_end=at(11), step_seconds=1800),
    start_time=START,
    limits=Limits(
        max_slice_fraction=Decimal("0.5"), max_participation_rate=Decimal("0.01"), limit_price=Decimal("1E+2")
    ),
    risk_aversion=Decimal("0.1"),
    fills=Fills.REPORTED,
    report_delay_seconds=60,
)


def a_full_order() -> OrderState:
    """No field has its default, so none can be forgotten."""
    decided = a_decided(allocation="nan", basis=Basis.FALLBACK, fallback_reason="bar_late", decided_on=None)
    projection = a_projection(7, bound_by=Bound.SLICE_CAP, stop_reason=StopReason.MODEL, final=True, stopping=True)
    state = take(an_order_state(FULL), projection, a_window(), decided, Decimal(100) / 3)
    state = take(state, projection, a_window(1), decided, Decimal(100) / 3)
    return replace(
        state,
        version=3,
        status=Status.PAUSED,
        min_notional=Decimal(5),
        executed=(Decimal("0.07"), Decimal(1) / 7),
        filled_quantity=Decimal(1) / 3,
        filled_notional=Decimal("1E-9"),
        over_filled=Decimal("0.123456789012"),
        sums=BenchmarkSums(steps=2, price_sum=Decimal(7), notional_sum=Decimal(8), volume_sum=Decimal(9), partial=True),
        next_open=at(9),
        unpriced_quantity=Decimal("0.01"),
        unpriced_notional=Decimal("1.1"),
        withheld=2,
        out_of_reach=Decimal("0.7"),
        stopped_by=StopReason.FINISH_PRICE,
    )


DESK_TERMS = replace(
    FULL,
    limits=Limits(finish_price=Decimal("99.50"), avoid_open_minutes=0, avoid_close_minutes=10),
    risk_aversion=RiskAversion.TRACKING,
    completion=Completion.ALWAYS,
)


def test_the_terms_of_a_desk_come_back_equal() -> None:
    for order in (DESK_TERMS, replace(an_order(), risk_aversion=RiskAversion.DEFAULT)):
        state = an_order_state(order)

        assert repr(state_from(mandate_text(state), state_text(state))) == repr(state)


def test_an_order_of_a_release_that_knew_no_terms_of_a_desk_comes_back_equal() -> None:
    state = an_order_state(FULL)
    *known, _ = json.loads(mandate_text(state))

    assert state_from(json.dumps(known), state_text(state)) == state


def test_an_order_with_everything_set_comes_back_equal() -> None:
    state = a_full_order()

    back = state_from(mandate_text(state), state_text(state))

    assert back == state
    assert repr(back) == repr(state)
    assert len(back.reports_due) == 2


def test_an_order_without_options_comes_back_equal() -> None:
    assert state_from(mandate_text(an_order_state()), state_text(an_order_state())) == an_order_state()


def test_an_order_whose_newest_slice_has_a_text_of_its_own_comes_back_equal() -> None:
    state = a_full_order()
    assert state.current is not None

    newest = slice_text(state.current, state)

    assert state_from(mandate_text(state), state_text(state, newest_apart=True), newest) == state
    with pytest.raises(ValueError, match="newest slice"):
        state_from(mandate_text(state), state_text(state, newest_apart=True))


def test_slices_come_back_equal_whatever_their_order_says() -> None:
    state = a_full_order()
    piece = state.overdue[0]
    odd = replace(piece, fraction=Decimal("0.5"), limit_price=None, expected_volume=Decimal("1e3"))
    single = replace(piece, decided=a_decided(allocation="0.04658122360706329", stop_probability="0.25"))
    huge = replace(piece, decided=a_decided(allocation="1e+300", stop_probability="-0.0"), expected_volume=None)
    estimated = replace(piece, quantity=Decimal("0.333"))
    named = replace(piece, decided=a_decided(model="another"), price=None)
    on_its_own_bar = replace(piece, decided=a_decided(decided_on=piece.window.start))

    for piece in (*state.open_slices, odd, single, huge, estimated, named, on_its_own_bar):
        back = slice_from(slice_text(piece, state), state.order, state.models)
        assert repr(back) == repr(piece)


def test_times_come_back_to_the_microsecond_and_with_their_offset() -> None:
    state = a_full_order()
    east = START.astimezone(timezone(timedelta(hours=9)))
    times = [START + timedelta(microseconds=1), START + timedelta(days=9_000, microseconds=999_999), east]

    read = [state_from(mandate_text(state), state_text(replace(state, next_open=time))).next_open for time in times]
    pieces = [
        replace(state.overdue[0], window=Window(start, end), decided=a_decided(decided_on=on, decided_at=at))
        for start, end, on, at in product(times, repeat=4)
    ]
    pieces_read = [slice_from(slice_text(piece, state), state.order, state.models) for piece in pieces]

    assert [repr(time) for time in read] == [repr(time) for time in times]
    assert [repr(piece) for piece in pieces_read] == [repr(piece) for piece in pieces]


def before_prices(state: OrderState) -> OrderState:
    """The order as releases knew it that recorded neither a slice's price, nor who has decided slices, nor pauses, nor
    whether the order is in time."""
    overdue = tuple(replace(piece, price=None) for piece in state.overdue)
    current = replace(state.current, price=None) if state.current else None
    return replace(
        state, models=(), current=current, overdue=overdue, withheld=0, out_of_reach=Decimal(0), stopped_by=None
    )


def test_what_was_executed_comes_back_equal_however_much_of_the_slices_it_is() -> None:
    nothing = take(an_order_state(), a_projection(0), a_window(), a_decided(), PRICE)
    asked = take(close_window(nothing, a_bar()), a_projection(400), a_window(1), a_decided(), PRICE)
    whole = close_window(asked, a_bar(1))
    some = replace(whole, executed=(Decimal(0), Decimal("0.3")), filled_quantity=Decimal("0.3"))

    large = replace(an_order_state(an_order(size=Decimal(1_000))), lot=Decimal("1E+1"), total=100)
    in_tens = close_window(take(large, a_projection(4), a_window(), a_decided(), PRICE), a_bar())

    for state in (nothing, asked, whole, some, in_tens):
        assert repr(state_from(mandate_text(state), state_text(state))) == repr(state)


def test_a_slice_names_no_model_that_its_order_names() -> None:
    state = a_full_order()

    texts = [slice_text(piece, state) for piece in state.open_slices]

    assert state.models == ("lem-test",)
    assert not any("lem-test" in line for line in texts)
    assert state_text(state).count("lem-test") == 1


def test_arrays_of_an_earlier_release_come_back_equal() -> None:
    state = before_prices(a_full_order())
    unseen = replace(state, sums=state.sums.expect(Decimal(7), Decimal("0.5")), current=None)
    mandate, piece = mandate_text(state), state.current
    assert piece is not None

    newest = former_arrays.slice_text(piece, state.order)

    for former in (state, unseen, an_order_state()):
        assert repr(state_from(mandate_text(former), former_arrays.state_text(former))) == repr(former)
    assert state_from(mandate, former_arrays.state_text(state, newest_apart=True), newest) == state
    assert slices_from(mandate, former_arrays.state_text(state), [newest]) == [piece]
    assert slices_from(mandate, former_texts.state_text(state), [newest, former_texts.slice_text(piece)]) == [piece] * 2
    with pytest.raises(ValueError, match="newest slice"):
        state_from(mandate, former_arrays.state_text(state, newest_apart=True))


def test_an_order_of_an_earlier_release_goes_on_in_the_new_form() -> None:
    former = before_prices(reported_slice())
    read = state_from(mandate_text(former), former_arrays.state_text(former))

    after = take(read, a_projection(100), a_window(1), a_decided(model="another"), PRICE)

    assert former.current is not None
    assert after.current is not None
    assert state_from(mandate_text(after), state_text(after)) == after
    lines = [former_arrays.slice_text(former.current, former.order), slice_text(after.current, after)]
    assert slices_from(mandate_text(after), state_text(after), lines) == [former.current, after.current]


def test_an_order_in_the_place_of_others_comes_back_equal_and_its_slices_keep_their_names() -> None:
    former = a_full_order()
    assert former.current is not None
    earlier = (Earlier(order_id="first", last_step=1), Earlier(order_id="second", last_step=2))
    order = replace(former.order, replaces="second", size=Decimal(2_000_000))
    slices = tuple(
        replace(piece, slice_id=f"{owner.order_id}-{piece.step}", final=False)
        for owner, piece in zip(earlier, former.open_slices, strict=True)
    )
    state = replace(former, order=order, earlier=earlier, overdue=slices[:1], current=slices[1], replaced_by="fourth")

    assert state_from(mandate_text(state), state_text(state)) == state


def with_inputs(state: OrderState, inputs: str | None) -> OrderState:
    """The order, all of its open slices decided on these inputs."""
    *overdue, current = (replace(piece, decided=replace(piece.decided, inputs=inputs)) for piece in state.open_slices)
    return replace(state, current=current, overdue=tuple(overdue))


def test_the_bundle_of_an_order_and_the_inputs_of_its_slices_come_back_equal() -> None:
    full = a_full_order()
    state = replace(with_inputs(full, "5c0f6a1b92de"), bundle="lem-test", order=replace(full.order, model="lem-test"))
    assert state.current is not None
    mandate, newest = mandate_text(state), slice_text(state.current, state)

    assert state_from(mandate, state_text(state)) == state
    assert state_from(mandate, state_text(state, newest_apart=True), newest) == state
    assert slices_from(mandate, state_text(state), [newest]) == [state.current]
    assert "lem-test" not in state_text(state)  # the mandate says it


def test_a_form_without_the_inputs_of_slices_comes_back_equal() -> None:
    state = with_inputs(a_full_order(), None)
    assert state.current is not None
    newest, whole = json.loads(slice_text(state.current, state)), json.loads(state_text(state))
    for former in (newest, whole):
        former[0] = WITHOUT_INPUTS
    del newest[1 + INPUTS]
    for nested in (whole[4], *whole[17]):
        del nested[INPUTS]

    assert slice_from(json.dumps(newest), state.order, state.models) == state.current
    assert state_from(mandate_text(state), json.dumps(whole)) == state


def test_what_an_earlier_release_wrote_comes_back_equal() -> None:
    bar, state = a_bar(notional=Decimal("5000.1"), trades=7, synthetic=True), before_prices(a_full_order())

    assert codec.bar_from(former_texts.bar_text(bar)) == bar
    assert state_from(former_texts.mandate_text(state), former_texts.state_text(state)) == state
    assert state_from(former_texts.mandate_text(state), state_text(state)) == state
    for piece in state.open_slices:
        assert slice_from(former_texts.slice_text(piece), state.order) == piece


def left_out(line: str) -> int:
    """How many values, which are 0, the text of a state or of a slice has left out."""
    version, *values = json.loads(line)
    return VALUES_OF_A_STATE_MAX - len(values) if version == SHORT_VERSION else 0


def test_what_a_later_release_adds_is_passed_over() -> None:
    bar, state = a_bar(), a_full_order()
    assert state.current is not None

    texts = (mandate_text(state), state_text(state, newest_apart=True), slice_text(state.current, state))
    later = [line[:-1] + ",0" * left_out(line) + ',"more"]' for line in texts]

    assert state_from(later[0], later[1], later[2]) == state
    assert codec.bar_from(codec.bar_text(bar)[:-1] + ',"more"]') == bar


def without(text: str, *names: str) -> str:
    """The text as a release wrote it that did not know these names."""
    return json.dumps({name: value for name, value in json.loads(text).items() if name not in names})


def test_an_order_of_a_release_that_knew_no_horizon_in_time_comes_back_equal() -> None:
    state = an_order_state()

    assert state_from(without(former_texts.mandate_text(state), "ends"), former_texts.state_text(state)) == state


def before_reports_were_due(state: OrderState) -> OrderState:
    """The order, recorded by a release that counted the newest slice only as in flight, and read by this one."""
    mandate = without(former_texts.mandate_text(state), "report_delay_seconds")
    return state_from(mandate, without(former_texts.state_text(state), "reports_due", "over_filled"))


def reported_slice() -> OrderState:
    """An order of 10 with a first slice of 4."""
    return take(an_order_state(an_order(fills=Fills.REPORTED)), a_projection(400), a_window(), a_decided(), PRICE)


def test_the_running_slice_of_an_older_order_is_in_flight() -> None:
    state = apply_fill(reported_slice(), a_fill(reported_slice()))

    assert before_reports_were_due(state) == before_prices(state)
    assert before_reports_were_due(close_window(state, a_bar())).in_flight == 0


def test_an_older_order_that_was_over_filled_is_marked_and_may_be_recorded_again() -> None:
    slipped = reported_slice()
    slipped = replace(slipped, executed=(Decimal(12),), filled_quantity=Decimal(12), status=Status.COMPLETED)

    older = before_reports_were_due(slipped)

    assert (older.over_filled, older.reports_due) == (2, ())
    require_sound(older)


def test_an_older_order_whose_sums_were_rounded_may_be_recorded_again() -> None:
    exact, rounded = Decimal("1.00000000000000000000000000005"), Decimal("1.000000000000000000000000000")
    slipped = replace(reported_slice(), executed=(exact,), filled_quantity=rounded)

    require_sound(before_reports_were_due(slipped))


def test_a_fill_of_an_older_release_has_no_warnings() -> None:
    fill = a_fill(an_order_state(), warnings=(FillWarning.BELOW_LOT,))

    assert codec.fill_from(codec.fill_text(fill)).warnings == (FillWarning.BELOW_LOT,)
    assert codec.fill_from(without(codec.fill_text(fill), "warnings")).warnings == ()


def test_bars_fills_and_instruments_come_back_equal() -> None:
    bar = a_bar(notional=Decimal("5000.1"), trades=7, synthetic=True)
    fill = a_fill(an_order_state())
    instrument = an_instrument(calendar="XNYS", min_notional=Decimal(10), max_order_notional=Decimal(10**6))

    assert codec.bar_from(codec.bar_text(bar)) == bar
    assert codec.bar_from(codec.bar_text(a_bar())) == a_bar()
    assert codec.fill_from(codec.fill_text(fill)) == fill
    revised = replace(fill, quantity=Decimal(2), original=fill, busted=True)
    back = codec.fill_from(codec.fill_text(revised))
    assert (back, back.original, back.busted) == (revised, fill, True)
    assert codec.instrument_from(codec.instrument_text(instrument)) == instrument
    assert codec.instrument_from(codec.instrument_text(an_instrument())) == an_instrument()


def test_an_instrument_of_an_earlier_release_has_no_maximum_of_an_order() -> None:
    earlier = json.loads(codec.instrument_text(an_instrument()))
    del earlier["max_order_notional"]

    assert codec.instrument_from(json.dumps(earlier)) == an_instrument()


def test_a_form_of_a_later_release_is_refused() -> None:
    later = codec.fill_text(a_fill(an_order_state())).replace('"v":1', '"v":2')

    with pytest.raises(ValueError, match="form 2"):
        codec.fill_from(later)
