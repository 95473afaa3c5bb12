"""Whether orders were measured on bars that the model has seen. Such bars flatter it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from app.bars.file_names import instrument_of
from app.bundles.seen_days import SAMPLE_TITLES, Sample, SeenDays
from models.evaluation.market_results import MarketResults


def in_sample(markets: Iterable[MarketResults], seen: SeenDays | None) -> dict[str, str]:
    """What to report of the orders, of all lengths, that are not out of sample: how many of each market, by what the
    model knows of their bars. Nothing where there is none, or no bundle."""
    if seen is None:
        return {}
    counts: dict[str, Counter[str]] = {}
    for market in markets:
        found = counts.setdefault(market.market, Counter())
        for path, start_times in market.shared.items():
            found.update(seen.samples(instrument_of(path), start_times).tolist())
    told = {SAMPLE_TITLES[sample]: _told(counts, sample) for sample in Sample if sample is not Sample.OUT}
    return {title: starts for title, starts in told.items() if starts}


def _told(counts: Mapping[str, Counter[str]], sample: Sample) -> str:
    return ", ".join(
        f"{found[sample]:,} of {found.total():,} starts of {market}"
        for market, found in counts.items()
        if found[sample]
    )
