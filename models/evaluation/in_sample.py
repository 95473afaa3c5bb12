"""Whether orders were measured on bars that may have trained the model. Bars that a model has seen flatter it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from app.bundles.card import Card
from app.decision.policy import Policy
from app.domain.errors import InvalidInput
from models.evaluation.market_plan import midnight
from models.evaluation.market_results import MarketResults
from models.settings.train_plan import WALKS

NO_BARS = [WALKS]
"""The data of a card whose model trained on simulated bars alone."""


def trained_until(policy: Policy) -> date | None:
    """The day before which bars trained the policy, by its bundle's card: of several markets the latest. None where
    there is no card or no bars trained. Raises InvalidInput where the card has no date there."""
    card: Card | None = getattr(policy, "card", None)
    if card is None or card.training.data == NO_BARS:
        return None
    try:
        return date.fromisoformat(card.training.end)
    except ValueError as error:
        raise InvalidInput("bad_card", f"the card of {policy.name}: training.end is no date: {error}") from error


def in_sample(markets: Iterable[MarketResults], until: date | None) -> dict[str, str]:
    """A fact to report where orders of any length start before `until`, else none. Later bars may have chosen among the
    model's states; a card does not say so."""
    if until is None:
        return {}
    counts: dict[str, tuple[int, int]] = {}
    for market in markets:
        before, starts = counts.get(market.market, (0, 0))
        counts[market.market] = before + market.starts_before(midnight(until)), starts + len(market.start_times)
    early = [f"{before:,} of {starts:,} starts of {name}" for name, (before, starts) in counts.items() if before]
    if not early:
        return {}
    reason = (
        f"lie before {until}, up to which bars trained the model (of several markets, the latest day): they are out of "
        "sample only where training on their own market ended earlier"
    )
    return {"may not be out of sample": f"{', '.join(early)} {reason}"}
