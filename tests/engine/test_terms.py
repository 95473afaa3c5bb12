"""Two orders are the same order where the OMS said the same of both, in whatever form and to whatever release."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from app.domain.order import HorizonInTime, Limits, OrderInTime
from app.domain.order_words import Completion, RiskAversion
from app.engine.terms import digest_of
from tests.builders import START, an_order, at

EARLIER_RELEASE = "f1398566655cedfde5051e99532413ba6acc69f58008425d4c85ed40d06ee6d5"
"""What the first release made of the builders' order."""


EARLIER_RELEASE_WITH_A_LIMIT = "b12dd915c5d133005b060b0bd0081a01fc29f15d3d886d992bfa0b7713e37698"
"""And of the same order with a limit price of 101.5."""


def test_equal_terms_have_one_digest_however_they_are_written() -> None:
    east = START.astimezone(timezone(timedelta(hours=5)))

    assert digest_of(an_order(size=Decimal("10.0"))) == digest_of(an_order())
    assert digest_of(an_order(start_time=START)) == digest_of(an_order(start_time=east)) != digest_of(an_order())


def test_an_order_that_an_earlier_release_took_may_be_sent_again() -> None:
    assert digest_of(an_order()) == EARLIER_RELEASE


def in_time(earliest_end: datetime, latest_end: datetime) -> OrderInTime:
    return OrderInTime.of(an_order(), HorizonInTime(earliest_end=earliest_end, latest_end=latest_end))


def test_of_a_horizon_in_time_the_times_count_and_not_the_steps() -> None:
    asked, east = in_time(at(4), at(8)), at(8).astimezone(timezone(timedelta(hours=5)))

    assert digest_of(asked) == digest_of(asked.in_steps(4, 8)) == digest_of(asked.in_steps(1, 5))
    assert digest_of(asked) == digest_of(in_time(at(4), east))
    assert len({digest_of(each) for each in (asked, in_time(at(5), at(8)), in_time(at(4), at(9)), an_order())}) == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"completion": Completion.ALWAYS},
        {"risk_aversion": RiskAversion.DEFAULT},
        {"limits": Limits(finish_price=Decimal(99))},
        {"limits": Limits(avoid_open_minutes=0)},
        {"limits": Limits(avoid_close_minutes=10)},
    ],
    ids=str,
)
def test_each_of_the_desk_s_terms_makes_another_order(changes: dict[str, Any]) -> None:
    assert digest_of(an_order(**changes)) != EARLIER_RELEASE


def test_the_limits_of_an_order_of_an_earlier_release_count_as_they_did() -> None:
    order = an_order(limits=Limits(limit_price=Decimal("101.50")), completion=Completion.WITHIN_LIMITS)

    assert digest_of(order) == EARLIER_RELEASE_WITH_A_LIMIT


def test_the_delay_of_the_reports_is_one_of_the_terms() -> None:
    delays = (None, 0, 60)

    assert len({digest_of(an_order(report_delay_seconds=seconds)) for seconds in delays}) == len(delays)
