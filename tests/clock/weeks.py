"""Weeks of exchanges as their own pages give them: half days, holidays, breaks, changes of daylight saving."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, kw_only=True)
class Week:
    """`hours` are the parts of a session in local time; a part that opens in the evening opens on the day before its
    session's date. `other_hours` are those of single days; an empty one is a holiday."""

    code: str
    zone: str
    monday: date
    hours: str
    other_hours: dict[int, str]
    days: int = 5

    @property
    def start(self) -> datetime:
        return datetime.combine(self.monday - timedelta(days=1), time(), ZoneInfo(self.zone)).astimezone(UTC)

    def sessions(self) -> dict[date, list[tuple[datetime, datetime]]]:
        """The parts of each session, in UTC, by the session's date."""
        found = {}
        for number in range(self.days):
            day = self.monday + timedelta(days=number)
            if day.weekday() < 5 and (hours := self.other_hours.get(number, self.hours)):
                found[day] = [self._part(day, part) for part in hours.split()]
        return found

    def _part(self, day: date, hours: str) -> tuple[datetime, datetime]:
        opens, closes = (time.fromisoformat(each) for each in hours.split("-"))
        first = day if opens < closes else day - timedelta(days=1)
        zone = ZoneInfo(self.zone)
        return (
            datetime.combine(first, opens, zone).astimezone(UTC),
            datetime.combine(day, closes, zone).astimezone(UTC),
        )


def a_week(code: str, zone: str, monday: str, hours: str, days: int = 5, **other_hours: str) -> Week:
    """`other_hours` by the number of the day: `day_4="09:30-13:00"` for the Friday."""
    by_day = {int(name.removeprefix("day_")): each for name, each in other_hours.items()}
    return Week(code=code, zone=zone, monday=date.fromisoformat(monday), hours=hours, other_hours=by_day, days=days)


NEW_YORK, CHICAGO, HONG_KONG, TOKYO = "America/New_York", "America/Chicago", "Asia/Hong_Kong", "Asia/Tokyo"
WEEKS = [
    a_week("XNYS", NEW_YORK, "2024-11-25", "09:30-16:00", day_3="", day_4="09:30-13:00"),
    a_week("XNYS", NEW_YORK, "2025-03-03", "09:30-16:00", days=12),
    a_week("XNYS", NEW_YORK, "2025-10-27", "09:30-16:00", days=12),
    a_week("XHKG", HONG_KONG, "2025-03-03", "09:30-12:00 13:00-16:00"),
    a_week("XHKG", HONG_KONG, "2024-12-23", "09:30-12:00 13:00-16:00", day_1="09:30-12:00", day_2="", day_3=""),
    a_week("XTKS", TOKYO, "2024-10-28", "09:00-11:30 12:30-15:00"),
    a_week("XTKS", TOKYO, "2024-11-05", "09:00-11:30 12:30-15:30", days=4),
    a_week("XASX", "Australia/Sydney", "2025-03-31", "10:00-16:00", days=12),
    a_week("XASX", "Australia/Sydney", "2025-09-29", "10:00-16:00", days=12),
    a_week("XLON", "Europe/London", "2025-03-24", "08:00-16:30", days=12),
    a_week("XLON", "Europe/London", "2024-12-23", "08:00-16:30", day_1="08:00-12:30", day_2="", day_3=""),
    a_week("CMES", CHICAGO, "2025-03-03", "17:00-17:00", days=12),
    a_week("us_futures", NEW_YORK, "2025-10-27", "18:00-18:00", days=12),
]
"""In both of New York's, Sydney's and London's twelve days the clocks change."""
