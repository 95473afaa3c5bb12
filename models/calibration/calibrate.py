"""Measures the markets of a plan one after another, and writes each into the bundle's card when it is done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from pathlib import Path

from app.backtest.workers import worker_pool
from app.bars.bar_files import bar_files
from app.bundles.bundle import LemPolicy, load_bundle
from app.bundles.calibration import calibration_card, calibration_of
from app.bundles.card import CARD_FILE, Card
from app.decision.quotes.calibration import CalibratedTable
from app.files import written_whole
from models.calibration.measuring import BarSpan, FileGains, measure_file
from models.calibration.tables import market_tables
from models.settings.train_plan import TrainMarket, TrainPlan

STARTS_MAX, STARTS_PER_FILE_MIN = 1_600, 40
"""Of a market, for each length of orders; shared out over its files."""

OnFile = Callable[[str, int, int], None]
"""Called with the market, how many of its files are done, and how many it has."""


def calibrate(plan: TrainPlan, bundle: Path, jobs: int, on_file: OnFile, *, anew: bool = False) -> list[str]:
    """Measure the bundle's orders on the bars that chose it, and write them into its card, market by market.

    A market that the card has from the same span already is left as it is, unless `anew`: a calibration that was
    stopped goes on. Returns the names of the markets with too few orders to say anything. Raises BundleError for a
    bundle that does not load, InvalidInput for bars that cannot be read.
    """
    policy = load_bundle(bundle)
    tables = [] if anew else [each for each in policy.calibration.tables if each.market in plan.markets]
    short = []
    for name, market in plan.markets.items():
        if any(_same_span(table, name, market) for table in tables):
            continue
        span = BarSpan(start=market.train_end, end=market.validation_end, starts_max=starts_of(market))
        files, earlier = zip(*_measured(bundle, name, market, span, jobs, on_file), strict=True)
        found = market_tables(name, files, earlier, market.validation_span)
        tables = [*(table for table in tables if table.market != name), *found]
        write_calibration(bundle, policy, tables)
        short += [] if found else [name]
    return short


def starts_of(market: TrainMarket) -> int:
    """How many starts each file of the market has."""
    return max(STARTS_PER_FILE_MIN, STARTS_MAX // len(bar_files([market.path])))


def write_calibration(bundle: Path, policy: LemPolicy, tables: Sequence[CalibratedTable]) -> None:
    """Put the tables into the card, at once and whole. Nothing else of the card changes, and nothing of what it
    decides."""
    calibration = calibration_card(tables)
    calibration_of(calibration)  # what cannot be read back is not written
    card: Card = policy.card.model_copy(update={"calibration": calibration})
    with written_whole(bundle / CARD_FILE) as draft:
        draft.write_text(json.dumps(card.model_dump(), separators=(",", ":")) + "\n")


def _same_span(table: CalibratedTable, name: str, market: TrainMarket) -> bool:
    return table.market == name and (table.start.date(), table.end.date()) == market.validation_span


def _measured(
    bundle: Path, name: str, market: TrainMarket, span: BarSpan, jobs: int, on_file: OnFile
) -> Iterator[tuple[FileGains, FileGains]]:
    """Each file's gains in the span and before it, in the order of the files, whatever the number of processes."""
    paths = bar_files([market.path])
    on_file(name, 0, len(paths))
    if jobs == 1:
        for done, path in enumerate(paths, 1):
            yield measure_file(bundle, path, market.step_seconds, span)
            on_file(name, done, len(paths))
        return
    with worker_pool(jobs) as pool:
        futures = [pool.submit(measure_file, bundle, path, market.step_seconds, span) for path in paths]
        for done, _ in enumerate(as_completed(futures), 1):
            on_file(name, done, len(paths))
        yield from (future.result() for future in futures)
