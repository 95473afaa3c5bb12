"""What the network's outputs make of an order: the next slice and the logit of stopping.

What is learned shifts the optimum for a random walk, and counts where there is something to learn. Small orders without
a cap act by that optimum, the foreseen volume and the outlook alone: what else they learned cost them spread on bars
that had not trained. Under a cap and without risk aversion, nothing learned shifts the pace of TWAP orders, as that
cost them mean on such bars, and nothing learned shifts the pace or the stop where the window is no market's.

Shapes: B orders. `...` is any batch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.network.context_layout import CONTEXT
from models.network.expectation import fearless, room_later
from models.network.order_view import OrderView
from models.network.packing import unpacked

OUTPUTS = ("shift", "haste", "stop_logit")
"""A shift of the pace, how far the pace runs ahead under a cap, and a shift of the stop's logit."""
SHARE_MIN = 1e-4
STOP_SLOPE, BEYOND_MAX = 8.0, 3.0
"""How fast a fresh network's stop turns from no to yes round the threshold, per unit of volatility of a single bar:
were it per unit of the order's scale, a long order would mostly end by the many small chances before its threshold."""
HASTE, HASTE_IMPACT = 8.0, 4.0
"""How sharply orders part into those that run ahead under a cap and those that do not, by their fear of spread; and how
much their impact, in units of the order's scale, counts against haste."""
BET, BET_FEAR = 2.0, 0.1
"""The bet with the pace, before anything is learned: per unit of the edge, the less the more the order fears spread."""


def answer(view: OrderView, outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs [..., 3] -> allocation and stop logit, [...] each.

    The last step trades all that is left; each step before trades at least what the later ones could not under the cap.
    """
    output, order, cap = unpacked(OUTPUTS, outputs), view.standing, view.cap
    base = _base_curve(view, output["haste"])
    shift, logit = _learned(view, output["shift"], output["stop_logit"])
    share = ((base - order.filled) / order.leaves.clamp(min=1e-6)).clamp(SHARE_MIN, 1.0 - SHARE_MIN)
    moved = torch.sigmoid(torch.log(share / (1.0 - share)) + shift)
    wanted = order.leaves * torch.where(order.steps_left <= 1.0, 1.0, moved)
    needed = order.leaves - room_later(order, view.expectation)
    allocation = torch.minimum(torch.maximum(wanted, needed), torch.minimum(cap, order.leaves))
    beyond = (view.aim.beyond + view.edge).clamp(-BEYOND_MAX, BEYOND_MAX)
    return allocation, order.scale * (STOP_SLOPE * beyond + logit)


def _base_curve(view: OrderView, haste: Tensor) -> Tensor:
    """[...]: a share of the order from `target` to `ahead`. An order that fears little spread runs ahead, since each
    slice that is held back delays its end by a bar; one that fears much, or whose impact makes haste dear, keeps to the
    target. There is little between the two: a rest that is a lot more than a slice takes as long as two slices."""
    order = view.standing
    risk = order.state["risk_aversion"]
    impact = torch.sqrt(view.expectation.size.clamp(max=1.0)) / order.scale
    haste = haste + HASTE * ((1.0 - risk) / (1.0 + risk) - HASTE_IMPACT * impact)
    full = 1.2 * torch.sigmoid(haste) - 0.1
    full = full + (full.clamp(0.0, 1.0) - full).detach()  # both ends are reached, and left again where training gains
    return view.aim.target + full * (view.aim.ahead - view.aim.target)


def _learned(view: OrderView, shift: Tensor, logit: Tensor) -> tuple[Tensor, Tensor]:
    """How the pace is shifted in the logit, with the bet on the outlook, and the shift of the stop's logit.

    The more an order fears spread, the less its pace is shifted: a learned pace bought a smaller deviation from VWAP
    with more spread on bars that had not trained. For TWAP, a shift also counts less the more steps are forced: an
    order that may not stop trades evenly, whatever its size.
    """
    order = view.standing
    risk = order.state["risk_aversion"]
    bold = fearless(risk)
    on_walk = bold * (1.0 - order.context[..., CONTEXT.trust])
    shift = _counting(view, torch.where(order.is_vwap, on_walk, bold)) * shift
    logit = _counting(view, on_walk) * logit
    shift = shift * torch.where(order.is_vwap, 1.0, 1.0 - order.forced)
    return shift / (1.0 + risk) + BET * view.edge / (BET_FEAR + risk), logit


def _counting(view: OrderView, known_under_cap: Tensor) -> Tensor:
    """[...] from 0 to 1, how much of what is learned counts: nothing for small orders without a cap; under a cap, all
    but what is known. A limit by participation binds large orders alone."""
    capped = view.standing.state["max_slice_fraction"] < 1.0
    known = torch.where(capped, known_under_cap, 1.0)
    return 1.0 - known * view.expectation.small
