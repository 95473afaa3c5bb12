"""A chain asks its model first, and then what stands in for it."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import pytest

from app.decision.chain import BarWindow, ChainReading, PolicyChain, Reading
from app.decision.decide import decide, judge
from app.decision.market import Floats, Market
from app.decision.policies.twap import Twap
from app.decision.policies.volume_curve import VolumeCurve
from app.decision.rows import rows_of
from app.domain.order_words import RiskAversion, RiskAversions
from app.domain.projection import Bound
from app.domain.slice import Basis
from app.domain.steps_ahead import StepsAhead
from tests.builders import PRICE, a_room, an_order, an_order_state, bars
from tests.engine.policies import Failing, NotANumber, Reader
from tests.market import raw_window, some_rows


def a_bar_window(count: int = 20, lookback: int = 96) -> BarWindow:
    every = bars(count)
    return BarWindow(bars=raw_window(every, lookback)[None], newest=every[-1])


def forecast_of(reading: Reading) -> list[float]:
    assert reading.market is not None
    return [float(volume) for volume in reading.market.volume_forecast[0]]


def test_a_chain_reads_as_far_back_as_the_policy_that_reads_the_most() -> None:
    chain = PolicyChain(Reader(), (VolumeCurve(), Twap()))

    assert chain.lookback == VolumeCurve.lookback
    assert (chain.name, chain.max_steps, chain.risk_aversions.default) == (
        Reader.name,
        Reader.max_steps,
        Reader.risk_aversion,
    )


class Named(Reader):
    """Says what the names of its risk aversions mean."""

    risk_aversions: ClassVar = {"neutral": 0.1, "default": 0.5, "tracking": 9.0}


def test_the_model_says_what_the_names_of_risk_aversions_mean() -> None:
    assert PolicyChain(Named()).risk_aversions == RiskAversions(neutral=0.1, default=0.5, tracking=9.0)
    assert PolicyChain(Reader()).risk_aversions == RiskAversions(neutral=0.0, default=1.0, tracking=6.0)


def test_an_order_that_names_its_risk_aversion_is_asked_with_its_number() -> None:
    known, asked = PolicyChain(Named()).risk_aversions, (*RiskAversion, None, Decimal("0.25"))
    orders = [an_order_state(an_order(risk_aversion=each)) for each in asked]

    rows = rows_of(orders, [0] * len(orders), PRICE, known)

    assert rows.risk_aversion.tolist() == [0.1, 0.5, 9.0, 0.5, 0.25]


def test_an_order_counts_as_one_that_ends_with_the_last_step_that_it_does_not_avoid() -> None:
    order = an_order_state(an_order(min_steps=4, max_steps=4))
    ahead = StepsAhead(1, (None, None, Bound.AVOID_CLOSE, Bound.AVOID_CLOSE))

    rows = rows_of([order, order], [0, 0], PRICE, PolicyChain(Reader()).risk_aversions, [ahead, None])

    assert (rows.min_steps.tolist(), rows.max_steps.tolist()) == ([2, 4], [2, 4])


def test_what_stands_in_foresees_as_many_steps_as_the_model_decides() -> None:
    reading = PolicyChain(Reader(), (VolumeCurve(), Twap())).read(a_bar_window())

    assert [len(forecast_of(fallback)) for fallback in reading.fallbacks] == [Reader.max_steps] * 2


def test_the_model_decides_while_it_can() -> None:
    reading = PolicyChain(Reader(), (Twap(),)).read(a_bar_window())

    [judgement] = judge(reading, some_rows())

    assert (judgement.policy, judgement.basis, judgement.fallback_reason) == ("reader", Basis.MODEL, None)


class Asked(Reader):
    """Counts how often it reads a market."""

    def __init__(self) -> None:
        self.times = 0

    def observe(self, windows: Floats, steps: int) -> Market:
        self.times += 1
        return super().observe(windows, steps)


def test_what_stands_in_reads_the_market_only_when_it_is_needed_and_once() -> None:
    first, second = Asked(), Asked()
    reading = PolicyChain(Reader(), (first, second)).read(a_bar_window())

    judge(reading, some_rows())
    reading.expected_volume()
    asked = (first.times, second.times)
    for _ in range(2):
        judge(reading.without_model("bar_late"), some_rows())

    assert asked == (0, 0)
    assert (first.times, second.times) == (1, 0)
    assert [each.policy for each in reading.fallbacks[:2]] == [first, second]


@pytest.mark.parametrize(
    ("chain", "count", "reason"),
    [
        (PolicyChain(Reader(), (Twap(),)), Reader.history_min - 1, "insufficient_history"),
        (PolicyChain(Failing(), (Twap(),)), 20, "policy_failed: RuntimeError"),
    ],
)
def test_where_the_model_cannot_the_first_that_can_decides(chain: PolicyChain, count: int, reason: str) -> None:
    [judgement] = judge(chain.read(a_bar_window(count)), some_rows())

    assert (judgement.policy, judgement.basis, judgement.fallback_reason) == ("twap", Basis.FALLBACK, reason)


def test_a_model_that_is_not_asked_leaves_the_slice_to_a_fallback_with_the_reason() -> None:
    reading = PolicyChain(Reader(), (Twap(),)).read(a_bar_window())

    [late] = judge(reading.without_model("bar_late"), some_rows())
    [slow] = judge(PolicyChain(Reader(), (Twap(),)).read_without_model(a_bar_window(), "policy_slow"), some_rows())

    assert (late.policy, late.fallback_reason) == ("twap", "bar_late")
    assert (slow.policy, slow.fallback_reason) == ("twap", "policy_slow")


def test_after_the_last_policy_the_limits_alone_decide() -> None:
    reading = ChainReading(Reading(NotANumber(), None, "gone"))

    [decision] = decide(reading, some_rows(step=12), [a_room(step=12)])

    assert (decision.judgement.policy, decision.judgement.fallback_reason) == ("limits", "gone")
    assert decision.projection.lots == 1000


def test_the_expected_volume_is_that_of_the_first_policy_that_can_say() -> None:
    chain = PolicyChain(Reader(), (Twap(),))

    whole, without = chain.read(a_bar_window()), chain.read(a_bar_window()).without_model("bar_late")

    assert whole.expected_volume() == Decimal(str(forecast_of(whole.model)[0]))
    assert whole.expected_volume(3) == Decimal(str(forecast_of(whole.model)[3]))
    assert whole.expected_volume(1_000) == Decimal(str(forecast_of(whole.model)[-1]))
    assert without.expected_volume() == Decimal(str(forecast_of(without.fallbacks[0])[0]))
    assert ChainReading(Reading(Twap(), None)).expected_volume() is None
