"""Reports as text for people and as plain values for programs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from models.data.examine import Gap, Report
from models.data.wording import length_of, utc


def as_text(report: Report, gaps_listed: int) -> str:
    """A headline, how the file was read, what must be mended, warnings, and the longest gaps in order of time."""
    name = f"{report.name} ({report.symbol})" if report.symbol else report.name
    lines = [f"{name}: {_headline(report)}", *(f"  {note}" for note in report.read_as)]
    lines += [f"  must be mended: {fault.text} [{fault.code}]" for fault in report.faults]
    lines += [f"  warning: {warning.text} [{warning.code}]" for warning in report.warnings]
    return "\n".join(lines + _gap_lines(report, gaps_listed))


def as_values(report: Report) -> dict[str, Any]:
    """The report with times in ISO 8601 and every gap."""
    values = asdict(report)
    for name in ("first", "last"):
        values[name] = None if values[name] is None else _iso(values[name])
    for gap in values["gaps"]:
        gap["after"] = _iso(gap["after"])
    return values | {"missing_bars": sum(gap.bars for gap in report.gaps), "ok": not report.faults}


def _headline(report: Report) -> str:
    if report.first is None or report.last is None or report.bar_seconds is None:
        return "cannot be used"
    kind = "round the clock" if report.round_the_clock else "in sessions"
    span = f"{utc(report.first)} to {utc(report.last)} UTC"
    return f"{report.bars} bars of {length_of(report.bar_seconds)}, opens {span}, {kind}"


def _gap_lines(report: Report, listed: int) -> list[str]:
    if not report.gaps:
        return ["  no gaps"] if report.first is not None else []
    longest = max(report.gaps, key=lambda gap: gap.bars)
    missing = sum(gap.bars for gap in report.gaps)
    count = _counted(len(report.gaps), "gap")
    head = f"  {count}, {_counted(missing, 'bar')} missing; longest {longest.bars} after {utc(longest.after)}"
    shown = sorted(sorted(report.gaps, key=lambda gap: -gap.bars)[:listed], key=lambda gap: gap.after)
    lines = [head, *(f"    {_gap_line(gap)}" for gap in shown)]
    rest = len(report.gaps) - len(shown)
    return lines + ([f"    and {rest} no longer than these"] if rest and shown else [])


def _gap_line(gap: Gap) -> str:
    return f"after {utc(gap.after)}: {_counted(gap.bars, 'bar')}" + (
        ", a new history begins" if gap.new_history else ""
    )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
