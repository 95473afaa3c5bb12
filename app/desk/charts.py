"""Charts of an order, as shapes in an SVG: drawn here, so that a page needs no library to show them. Labels are text
beside the drawing, which may be stretched to any width."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from app.desk import numerals
from app.desk.numerals import share
from app.domain.benchmark import BenchmarkSums
from app.domain.instrument import Instrument
from app.domain.numbers import ZERO
from app.domain.order import Fills, SizeMode
from app.engine.analyses import AnalysedOrder
from app.engine.results import Schedule, ScheduledStep, StepState

WIDTH, HEIGHT, MARGIN = 1_000.0, 200.0, 8.0
STEPS_MAX = 240
"""Of one chart. A longer order is shown by every second step, or every third, and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    style: str
    x: float
    y: float
    width: float
    height: float
    tip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepChart:
    """`highest` and `lowest` label the vertical axis, `first` and `last` the other; `lines` are paths by style."""

    highest: str
    lowest: str
    first: str
    last: str
    told: str
    bars: Sequence[Shape] = ()
    lines: Sequence[tuple[str, str]] = ()
    hits: Sequence[Shape] = field(default=())


def plan_chart(schedule: Schedule, size: Decimal) -> StepChart | None:
    """What was asked for and done in each step, and what is expected of those to come."""
    steps = _thinned(schedule.steps)
    if not steps:
        return None
    done = [float(step.executed / size) for step in steps]
    planned = [float(step.fraction) for step in steps]
    top = max(*planned, *done, 1e-9)
    wide = WIDTH / len(steps)

    def bars() -> Iterator[Shape]:
        for index, step in enumerate(steps):
            style = "proj" if step.state is StepState.PROJECTED else "plan"
            yield _bar(style, index * wide + wide * 0.1, wide * 0.8, planned[index] / top)
            if done[index]:
                yield _bar("done", index * wide + wide * 0.28, wide * 0.44, done[index] / top)

    tips = [
        f"step {step.step}, {numerals.clock(step.window.start)}: planned {share(planned[index], 2)}"
        + (f", done {share(done[index], 2)}" if step.state is not StepState.PROJECTED else ", expected in the mean")
        for index, step in enumerate(steps)
    ]
    return StepChart(
        highest=share(top),
        lowest="0",
        first=f"step {steps[0].step}",
        last=f"step {steps[-1].step}",
        told=f"Planned and done shares of the order over {len(steps)} steps, at most {share(top)} in one",
        bars=list(bars()),
        hits=_hits(tips),
    )


def stop_chart(schedule: Schedule) -> StepChart | None:
    """The model's probability of stopping at each slice, and how likely the order is to end with each step to come."""
    steps = _thinned(schedule.steps)
    if not steps:
        return None
    asked = [_stop(step) for step in steps]
    tips = [
        f"step {step.step}: "
        + (f"the model would stop with {share(known)}, " if known is not None else "")
        + f"ends here with {share(step.end_probability)}"
        for step, known in zip(steps, asked, strict=True)
    ]
    wide = WIDTH / len(steps)
    return StepChart(
        highest="100 %",
        lowest="0",
        first=f"step {steps[0].step}",
        last=f"step {steps[-1].step}",
        told="Probability that the order ends with each step, seen from now; and the model's probability of stopping",
        bars=[
            _bar("stopbar", i * wide + wide * 0.15, wide * 0.7, step.end_probability) for i, step in enumerate(steps)
        ],
        lines=[("stop", _path([None if each is None else each for each in asked], 0.0, 1.0))],
        hits=_hits(tips),
    )


def price_chart(
    analysed: AnalysedOrder, instrument: Instrument | None, fills: Sequence[tuple[int, Decimal, Decimal]]
) -> StepChart | None:
    """The market's price in the order's closed windows, with the benchmark and the order's average as they were then.
    `fills` are the reported ones: step, quantity, price."""
    state = analysed.state
    own = analysed.market[: state.sums.steps + state.sums.unseen_steps]
    market = [None if bar is None or bar.synthetic else bar.price for bar in own]
    benchmark, sums = list[Decimal | None](), BenchmarkSums()
    average, quantity, notional = list[Decimal | None](), ZERO, ZERO
    for index, bar in enumerate(own):
        if bar is not None and not bar.synthetic:
            sums = sums.add(bar)
            if state.order.fills is Fills.ASSUMED and state.executed[index]:
                in_quantity = state.order.size_mode is SizeMode.QUANTITY
                traded = state.executed[index] if in_quantity else state.executed[index] / bar.price
                quantity, notional = quantity + traded, notional + traded * bar.price
        for step, traded, paid in fills:
            if step == index + 1:
                quantity, notional = quantity + traded, notional + traded * paid
        benchmark.append(sums.price(state.order.benchmark))
        average.append(notional / quantity if quantity else None)
    every = max(1, -(-len(own) // STEPS_MAX))
    series = [line[::every] for line in (market, benchmark, average)]
    known = [each for line in series for each in line if each is not None]
    if not known:
        return None
    low, high = min(known), max(known)
    room = (high - low) / 10 or high / 10_000
    low, high = low - room, high + room

    def shown(value: Decimal | None) -> str:
        return numerals.price(value, instrument)

    tips = [
        f"step {index * every + 1}: market {shown(prices[0])}, benchmark {shown(prices[1])}, average {shown(prices[2])}"
        for index, prices in enumerate(zip(*series, strict=True))
    ]
    names = ("price", "bench", "avg")
    return StepChart(
        highest=shown(high),
        lowest=shown(low),
        first="step 1",
        last=f"step {len(own)}",
        told=f"The market's price between {shown(low)} and {shown(high)}, with the benchmark and the order's average",
        lines=[
            (name, _path([None if each is None else float(each) for each in line], float(low), float(high)))
            for name, line in zip(names, series, strict=True)
        ],
        hits=_hits(tips),
    )


def _thinned(steps: Sequence[ScheduledStep]) -> Sequence[ScheduledStep]:
    return steps[:: max(1, -(-len(steps) // STEPS_MAX))]


def _stop(step: ScheduledStep) -> float | None:
    if step.slice is None:
        return None
    known = float(step.slice.decided.stop_probability)
    return min(1.0, max(0.0, known)) if known == known else None  # noqa: PLR0124 -- NaN differs from itself


def _bar(style: str, x: float, width: float, share_of_top: float) -> Shape:
    height = max(0.0, min(1.0, share_of_top)) * (HEIGHT - MARGIN)
    return Shape(
        style=style, x=round(x, 1), y=round(HEIGHT - height, 1), width=round(width, 1), height=round(height, 1)
    )


def _hits(tips: Sequence[str]) -> list[Shape]:
    wide = WIDTH / len(tips)
    return [
        Shape(style="hit", x=round(i * wide, 1), y=0, width=round(wide, 1), height=HEIGHT, tip=tip)
        for i, tip in enumerate(tips)
    ]


def _path(values: Sequence[float | None], low: float, high: float) -> str:
    """A line through the middles of the steps; broken where a value is not known."""
    wide = WIDTH / max(1, len(values))
    place: Callable[[float], float] = lambda value: HEIGHT - (value - low) / (high - low) * (HEIGHT - MARGIN)  # noqa: E731
    words, pen_down = list[str](), False
    for index, value in enumerate(values):
        if value is None:
            pen_down = False
            continue
        words.append(f"{'L' if pen_down else 'M'}{(index + 0.5) * wide:.1f} {place(value):.1f}")
        if not pen_down and (index + 1 == len(values) or values[index + 1] is None):
            words.append("h1")  # a single point would not be seen
        pen_down = True
    return " ".join(words)
