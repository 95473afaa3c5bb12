"""The columns of the context: what is fixed comes first, then what the network has learned.

Shapes: H learned figures; a context has 11 + H columns.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.settings.sizes import OUTLOOKS

TILTED_BARS = ("next", "second", "later")
FREE_TILTS = tuple(f"free_tilt_{bar}" for bar in TILTED_BARS)
FORCED_TILTS = tuple(f"forced_tilt_{bar}" for bar in TILTED_BARS)
VOLATILITY_SPANS = (4, 24, 96)
LOG_VOLATILITIES = tuple(f"log_volatility_{span}" for span in VOLATILITY_SPANS)
FIXED_COLUMNS = (*LOG_VOLATILITIES, "log_volume", "trust", *FREE_TILTS, *FORCED_TILTS)
"""Logs of the expected volatility per bar over the next few bars, some more and many, and of the mean volume per bar;
whether the window is a market's; logs of the tilts of volume for orders that may stop at any step (free) and for orders
that may stop at none (forced)."""
SIGNED_FIGURES = 8
"""The first learned figures, the outlooks among them, say up or down: what is good for a buyer is bad for a seller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextLayout:
    """Columns of the context by name. `signed` and `unsigned` count from the first learned column on."""

    log_volatilities: slice
    log_volume: int
    trust: int
    forecasts: slice
    free_tilts: slice
    forced_tilts: slice
    tilts: slice
    outlooks: slice
    learned: slice
    signed: slice
    unsigned: slice


def _columns(first: str, last: str) -> slice:
    return slice(FIXED_COLUMNS.index(first), FIXED_COLUMNS.index(last) + 1)


CONTEXT = ContextLayout(
    log_volatilities=_columns(LOG_VOLATILITIES[0], LOG_VOLATILITIES[-1]),
    log_volume=FIXED_COLUMNS.index("log_volume"),
    trust=FIXED_COLUMNS.index("trust"),
    forecasts=_columns(LOG_VOLATILITIES[0], "log_volume"),
    free_tilts=_columns(FREE_TILTS[0], FREE_TILTS[-1]),
    forced_tilts=_columns(FORCED_TILTS[0], FORCED_TILTS[-1]),
    tilts=_columns(FREE_TILTS[0], FORCED_TILTS[-1]),
    outlooks=slice(len(FIXED_COLUMNS), len(FIXED_COLUMNS) + len(OUTLOOKS)),
    learned=slice(len(FIXED_COLUMNS), None),
    signed=slice(None, SIGNED_FIGURES),
    unsigned=slice(SIGNED_FIGURES, None),
)
