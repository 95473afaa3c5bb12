"""The work of the stages "read the market" and "decide": values in, values out, for many instruments at once.

Windows are read together and all orders are decided in one batch: a model takes a tenth of the time for a window among
others that it takes for one alone. What a row is answered does not depend on the rows beside it (see `app/bundles`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from app.decision.chain import BarWindow, ChainReading, PolicyChain, Reading
from app.decision.decide import Decision, decide
from app.decision.inputs_digest import input_digests
from app.decision.market import Market
from app.decision.policy import Rows
from app.decision.reach import out_of_reach
from app.decision.rows import rows_of
from app.domain.evolve import built_quickly
from app.domain.projection import Room
from app.domain.slice import Basis
from app.domain.state import room
from app.engine.stages.batch import WantedSlice, WantedSlices


@built_quickly
@dataclass(frozen=True, slots=True)
class DecisionAndVolume:
    """A decision, the volume (base units) that the market is expected to trade in its window, the digest of what was
    decided on, and what of the order cannot be traded in time then, None where nobody has reckoned it."""

    decision: Decision
    expected_volume: Decimal | None
    inputs: str
    out_of_reach: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """Orders that need a slice, the window of bars that they are decided on, and the chain that decides them. Its model
    is not asked where it is `unavailable` for that reason."""

    group: WantedSlices
    window: BarWindow
    chain: PolicyChain
    unavailable: str | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question as the policies take it. `volume` is expected in the step after so many windows."""

    reading: ChainReading
    wanted: Sequence[WantedSlice]
    last_price: Decimal
    rows: Rows
    rooms: Sequence[Room]
    volume: dict[int, Decimal | None]

    def with_volumes(self, decisions: Sequence[Decision]) -> list[DecisionAndVolume]:
        return [
            DecisionAndVolume(
                decision, self.volume[each.windows_unseen], inputs, self._out_of_reach(each, room, decision)
            )
            for decision, each, room, inputs in zip(
                decisions,
                self.wanted,
                self.rooms,
                input_digests(self.reading.window, self.rows, self.rooms),
                strict=True,
            )
        ]

    def _out_of_reach(self, each: WantedSlice, room: Room, decision: Decision) -> Decimal:
        unseen, ahead = each.windows_unseen, each.ahead
        return out_of_reach(self.reading, each.state, room, decision.projection, unseen, self.last_price, ahead)


def read_windows(questions: Sequence[Question], known: Sequence[ChainReading | None]) -> list[ChainReading]:
    """What its chain makes of each window; those that a chain does not know are read together."""
    found = list(known)
    for chain in {question.chain.name: question.chain for question in questions}.values():
        fresh = [at for at, each in enumerate(questions) if found[at] is None and each.chain.name == chain.name]
        asked = [at for at in fresh if questions[at].unavailable is None]
        for at, reading in zip(asked, chain.read_all([questions[at].window for at in asked]), strict=True):
            found[at] = reading
        for at in set(fresh) - set(asked):
            found[at] = chain.read_without_model(questions[at].window, questions[at].unavailable or "")
    return [reading for reading in found if reading is not None]


def decide_orders(
    questions: Sequence[Question],
    readings: Sequence[ChainReading],
    without_model: str | None = None,
) -> list[list[DecisionAndVolume]]:
    """The decisions of each question; `without_model` says why the model is not to be asked at all."""
    asked = [
        _asked(question, reading, without_model or question.unavailable or question.group.late_reason)
        for question, reading in zip(questions, readings, strict=True)
    ]
    by_model: dict[int, list[Decision]] = {}
    for same in _by_policy(asked):
        by_model |= _together(same)
    return [each.with_volumes(by_model.get(id(each)) or decide(each.reading, each.rows, each.rooms)) for each in asked]


def _asked(question: Question, reading: ChainReading, without_model: str | None) -> _Asked:
    asked = reading.without_model(without_model) if without_model else reading
    wanted, last_price = question.group.wanted, question.window.last_price
    unseen = [each.windows_unseen for each in wanted]
    volume = {windows: asked.expected_volume(windows) for windows in set(unseen)}
    states, ahead = [each.state for each in wanted], [each.ahead for each in wanted]
    return _Asked(
        reading=asked,
        wanted=wanted,
        last_price=last_price,
        rows=rows_of(states, unseen, last_price, question.chain.risk_aversions, ahead),
        rooms=[room(each.state, last_price, volume[each.windows_unseen], each.ahead) for each in wanted],
        volume=volume,
    )


def _by_policy(asked: Sequence[_Asked]) -> Iterable[list[_Asked]]:
    """Those whose model has read the market, by model."""
    found: dict[int, list[_Asked]] = {}
    for each in asked:
        if each.reading.model.market is not None:
            found.setdefault(id(each.reading.model.policy), []).append(each)
    return found.values()


def _together(asked: Sequence[_Asked]) -> dict[int, list[Decision]]:
    """The decisions of the model in one batch, by the question's identity. Questions of which the model has not
    answered every row are left out: they are asked alone, with all that stands in for the model."""
    if len(asked) < 2:  # noqa: PLR2004 -- one question is alone
        return {}
    markets = list(_model_markets(asked))
    merged = ChainReading(Reading(asked[0].reading.model.policy, Market.joined(markets)))
    rooms = [each for one in asked for each in one.rooms]
    decisions = iter(decide(merged, Rows.joined([each.rows for each in asked]), rooms))
    found = {id(each): list(islice(decisions, len(each.rooms))) for each in asked}
    return {key: every for key, every in found.items() if all(_by_model(each) for each in every)}


def _model_markets(asked: Sequence[_Asked]) -> Iterator[Market]:
    for each in asked:
        if each.reading.model.market is not None:
            yield each.reading.model.market


def _by_model(decision: Decision) -> bool:
    return decision.judgement.basis is Basis.MODEL
