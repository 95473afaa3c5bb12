"""The Large Execution Model: the market side and the order side together."""

from __future__ import annotations

from torch import nn

from models.network.context import ContextNet
from models.network.decision import DecisionNet
from models.settings.sizes import LemConfig


class Lem(nn.Module):
    """`context` reads bars, `decision` the context and one order. They are trained together and exported apart."""

    def __init__(self, config: LemConfig) -> None:
        super().__init__()
        self.config = config
        self.context = ContextNet(config)
        self.decision = DecisionNet(config)
