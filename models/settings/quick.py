"""`lem train --quick`: a training of a minute or two, to see the whole way from bars to a served bundle."""

from __future__ import annotations

from models.settings.sizes import LemConfig
from models.settings.train_plan import TrainPlan
from models.settings.train_settings import TrainSettings

QUICK_SETTINGS = TrainSettings(
    steps=60,
    stretches=16,
    repeat=2,
    repeat_capped=1,
    warmup=10,
    average_decay=0.9,
    warm_batches=200,
    forecast_steps=60,
    tilt_steps=40,
    validate_every=30,
    checkpoint_every=20,
)
QUICK_SIZES = LemConfig(recurrence=16, max_steps=64)
"""Short orders, and few bars for the recurrence: the export takes as long as that has bars."""
QUICK_BUNDLE = "quick"
"""The name of the bundle, in the folder of the training: slices tell by which model they were decided."""


def quick_plan(plan: TrainPlan) -> TrainPlan:
    """The plan's markets, with sizes and settings that take a minute or two whatever the plan says of them."""
    return plan.model_copy(update={"settings": QUICK_SETTINGS, "config": QUICK_SIZES})
