"""Refusals keep all that they say wherever they go."""

from __future__ import annotations

import pickle

import pytest

from app.domain.errors import InvalidInput, LemError, TooEarly


@pytest.mark.parametrize(
    "error", [InvalidInput("off_tick", "between two ticks", "#/limits"), TooEarly("bar_not_closed", "not yet", 60, "#")]
)
def test_a_refusal_is_the_same_in_another_process(error: LemError) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 -- our own bytes

    assert (type(copy), vars(copy), str(copy)) == (type(error), vars(error), str(error))


def test_a_pointer_can_be_given_later() -> None:
    error = InvalidInput("off_tick", "between two ticks")

    assert error.with_pointer("#/bars/7") is error
    assert error.pointer == "#/bars/7"
