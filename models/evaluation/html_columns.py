"""The columns that the HTML report shows of each table: their titles and how their figures are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from models.evaluation.rivals import STOPPING_BASELINE
from models.evaluation.tables.row_figures import Row
from models.evaluation.tables.table_columns import FIGURES
from models.evaluation.templating import fixed, plain

BPS_DIGITS, SHARE_DIGITS, COUNT_DIGITS = 2, 3, 0


@dataclass(frozen=True, slots=True)
class Column:
    """`digits` after the point; None for a word or a setting, which is written as it is and set to the left."""

    name: str
    title: str
    digits: int | None = None

    @property
    def is_word(self) -> bool:
        return self.digits is None

    def shown(self, row: Row) -> str:
        value: Any = row.get(self.name)
        return plain(value) if self.digits is None else fixed(value, self.digits)


def _words(*names: str) -> Iterator[Column]:
    return (Column(name, name) for name in names)


def _bps(name: str, title: str) -> Column:
    return Column(name, title, BPS_DIGITS)


def _share(name: str, title: str) -> Column:
    return Column(name, title, SHARE_DIGITS)


ORDERS = Column("orders", "orders", COUNT_DIGITS)
STEPS_USED = _bps("steps_used_mean", "steps used")
SPREAD = (_bps("gain_bps_mean", "mean gain"), _bps("std_bps", "std"), _bps("w_bps", "w"))
DIFFERENCE = (
    _bps("gain_bps_difference", "LEM gains more, bps"),
    _bps("gain_bps_low", "from"),
    _bps("gain_bps_high", "to"),
)

DISTRIBUTIONS = (
    *_words("benchmark", "min_steps", "policy", "side", "size_mode", "source"),
    ORDERS,
    *(_bps(f"gain_bps_{name}", name) for name in FIGURES),
    _share("gain_sigma_mean", "mean, sigma"),
    STEPS_USED,
)
PAIRED = (
    *_words("baseline", "benchmark", "min_steps"),
    ORDERS,
    *DIFFERENCE,
    _share("gain_sigma_difference", "in sigma"),
    _share("gain_sigma_low", "from"),
    _share("gain_sigma_high", "to"),
)
FRONTIER_PAIRED = (
    *_words("baseline", "benchmark", "min_steps", "risk_aversion"),
    _bps("lem_w_bps", "w of LEM"),
    _bps("baseline_w_bps", "w of baseline"),
    *DIFFERENCE,
)
FRONTIER = (
    *_words("policy", "risk_aversion", "benchmark", "min_steps"),
    *SPREAD,
    _share("gain_sigma_mean", "mean, sigma"),
)
TRACKING = (
    *_words("sessions", "policy", "risk_aversion", "benchmark"),
    _bps("mean_absolute_bps", "mean absolute"),
    _bps("std_bps", "std"),
    _bps("w_bps", "w"),
    *(
        column
        for name, title in (("mean_absolute", "mean absolute"), ("std", "std"), ("w", "w"))
        for column in (
            _share(f"{name}_to_twap", f"{title} over TWAP's"),
            _share(f"{name}_to_best", f"{title} over the best baseline's"),
            _share(f"{name}_to_best_low", "from"),
            _share(f"{name}_to_best_high", "to"),
            Column(f"{name}_best", "which is"),
        )
    ),
    Column("wildest_day", "wildest day"),
    _share("wildest_day_share", "its share of the squares"),
    _share("std_to_twap_without_wildest_day", "std over TWAP's without it"),
)


SESSION_PARTS = (
    *_words("sessions", "part", "policy", "risk_aversion"),
    _share("share_mean", "share of the order"),
    _share("market_share_mean", "share of the volume"),
    _share("share_error", "mean distance"),
    _bps("mean_absolute_bps", "mean absolute cost, bps"),
    _bps("std_bps", "std"),
)


def _above(rival: str) -> Iterator[Column]:
    words = rival.replace("_", " ")
    yield _bps(f"gain_bps_difference_to_{rival}", f"above {words}")
    yield _bps(f"gain_bps_low_to_{rival}", f"above {words}, from")
    yield _bps(f"gain_bps_high_to_{rival}", f"above {words}, to")


COSTS = (
    *_words("order_size", "benchmark", "min_steps", "policy"),
    *SPREAD,
    STEPS_USED,
    *_above("twap"),
    *_above(STOPPING_BASELINE),
)
STEPS = (
    *_words("benchmark", "min_steps", "step"),
    ORDERS,
    _share("probability_mean", "mean probability"),
    _share("stopped", "share that stopped"),
    _share("advantage_sigma_mean", "stopping less going on, sigma"),
)
VOLUMES = (
    *_words("policy", "step_ahead"),
    *(_share(name, name) for name in ("bias", "mae", "deviance", "correlation")),
)
WALK = (
    *_words("max_steps", "min_steps"),
    Column("even_slices", "cap, even slices", 1),
    *_words("policy", "risk_aversion"),
    _share("optimum_sigma", "optimum"),
    _share("gain_sigma_mean", "mean"),
    Column("gain_sigma_error", "standard error", 4),
    _share("share_of_optimum", "share of optimum"),
    Column("error_of_optimum", "its error", 4),
    _share("share_of_rule", "share of the rule's"),
    Column("share_of_rule_error", "its error", 4),
    _share("gain_sigma_std", "std"),
    _share("std_to_rule", "over the rule's"),
    _share("gain_sigma_p5", "P5"),
)
