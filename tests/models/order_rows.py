"""Rows of orders as the network reads them, and a network that has learned nothing from orders."""

from __future__ import annotations

import numpy as np
import torch

from app.bundles.inputs import STATE_COLUMNS
from app.domain.order import SCENARIOS
from models.network.lem import Lem
from models.release.golden import random_orders
from models.settings.sizes import LemConfig
from tests.models.tiny import TINY

ROWS = 64


def some_orders() -> tuple[torch.Tensor, ...]:
    orders = random_orders(TINY, np.random.default_rng(3), ROWS)
    return tuple(torch.from_numpy(value) for value in orders.values())


def a_net_that_has_learned_nothing(config: LemConfig = TINY) -> Lem:
    torch.manual_seed(0)
    net = Lem(config)
    with torch.no_grad():
        net.decision.shared["last"].zero_()
    return net


def forced_orders() -> torch.Tensor:
    """One order of four steps, none to be left out, for each scenario."""
    state = torch.zeros(len(SCENARIOS), len(STATE_COLUMNS))
    named = {"max_steps": 4.0, "min_steps": 4.0, "max_slice_fraction": 1.0, "max_participation_rate": 1.0}
    for name, value in named.items():
        state[:, STATE_COLUMNS.index(name)] = value
    return state
