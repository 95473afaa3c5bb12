"""A model card says which bars trained the model and which chose it."""

from __future__ import annotations

from app.api.models.card_page import CardSection, card_page
from app.bundles.card import Card, MarketSplit
from app.bundles.shipped import SHIPPED_BUNDLE


def test_a_card_page_has_the_days_that_trained_and_chose_market_by_market() -> None:
    split = MarketSplit(train_end="2026-03-15", validation_end="2026-04-01")

    rows = trained_rows(data=["bars/ALPHA", "bars/BETA"], markets={"bars": split})

    assert rows == [("bars", "2", "ALPHA, BETA", "2026-03-15", "2026-04-01")]


def test_a_card_of_an_earlier_release_names_no_days() -> None:
    assert trained_rows(data=["bars/ALPHA"], markets={}) == [("bars", "1", "ALPHA", "", "")]


def trained_rows(**training: object) -> list[tuple[str, ...]]:
    """The rows of the table of markets, of the shipped bundle's card with another training."""
    card = Card.model_validate_json((SHIPPED_BUNDLE / "card.json").read_bytes())
    changed = card.model_copy(update={"training": card.training.model_copy(update=training)})
    page = card_page("lem@1", changed.model_dump(mode="json"))
    [section] = [each for each in page.sections if each.title == "Training"]
    assert isinstance(section, CardSection)
    return [tuple(row) for row in section.tables[0].rows]
