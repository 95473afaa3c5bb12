"""One utility for what training maximises, what chooses the weights, and what bundles are compared by."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from models.objective.utility import utility

GAINS = (-30.0, -0.5, 0.0, 0.01, 2.0)


@pytest.mark.parametrize("risk_aversion", [0.0, 0.3, 6.0])
def test_numbers_arrays_and_tensors_are_worth_the_same(risk_aversion: float) -> None:
    plain = [gain - risk_aversion * (math.hypot(1.0, gain) - 1.0) for gain in GAINS]

    of_array = utility(np.array(GAINS), risk_aversion, np.sqrt)
    of_tensor = utility(torch.tensor(GAINS, dtype=torch.float64), risk_aversion, torch.sqrt)

    assert of_array == pytest.approx(plain, abs=1e-12)
    assert of_tensor.numpy() == pytest.approx(of_array, abs=1e-12)


def test_without_risk_aversion_a_gain_is_worth_itself_and_with_it_a_sure_one_is_worth_more_than_a_fair_bet() -> None:
    assert utility(0.7, 0.0, math.sqrt) == 0.7
    assert utility(0.0, 0.3, math.sqrt) > 0.5 * (utility(1.0, 0.3, math.sqrt) + utility(-1.0, 0.3, math.sqrt))
