"""Two orders are the same order where the OMS said the same of both, in whatever form and to whatever release."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

from app.domain.order import HorizonInTime, OrderInTime
from app.engine.terms import digest_of
from tests.builders import START, an_order, at

EARLIER_RELEASE = "f1398566655cedfde5051e99532413ba6acc69f58008425d4c85ed40d06ee6d5"
"""What the first release made of the builders' order."""


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


def test_the_delay_of_the_reports_is_one_of_the_terms() -> None:
    delays = (None, 0, 60)

    assert len({digest_of(an_order(report_delay_seconds=seconds)) for seconds in delays}) == len(delays)
