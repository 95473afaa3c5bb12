"""Numbers and times that values are built from: their checks, exact sums and products, and sizes in whole lots."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import reduce

from app.domain.errors import InvalidInput

ZERO = Decimal(0)
ONE = Decimal(1)
MAGNITUDE_MAX = Decimal("1e18")
MAGNITUDE_MIN = Decimal("1e-18")
LOTS_MAX = 10**18

EXACT = Context(prec=128, rounding=ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX)
"""For sums, differences and products of money and sizes. Decimal's own operators round to 28 digits, and a product of
two numbers of the interface has up to 54: the sum of rounded parts is not what a check compares it with."""

ROUNDED = Context(prec=28, rounding=ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX)
"""For quotients, which need not end."""


def require_finite(name: str, value: Decimal, within: str = "#") -> None:
    """Zero, or of a size between 1e-18 and 1e18, so that no sum, product or float of it ends in infinity or zero.
    `within` points to the object that has the field `name`."""
    if not value.is_finite():
        raise InvalidInput("not_finite", f"{name} is {value}; it must be a finite number", f"{within}/{name}")
    if value and not MAGNITUDE_MIN <= abs(value) <= MAGNITUDE_MAX:
        detail = f"{name} is {value}; its size must be between 1e-18 and 1e18"
        raise InvalidInput("out_of_range", detail, f"{within}/{name}")


def require_positive(name: str, value: Decimal, within: str = "#") -> None:
    require_finite(name, value, within)
    if value <= ZERO:
        raise InvalidInput("not_positive", f"{name} is {value}; it must be above zero", f"{within}/{name}")


def require_not_negative(name: str, value: Decimal) -> None:
    require_finite(name, value)
    if value < ZERO:
        raise InvalidInput("negative", f"{name} is {value}; it must not be negative", f"#/{name}")


def require_fraction(name: str, value: Decimal, within: str = "#") -> None:
    """A rate in (0, 1]."""
    require_positive(name, value, within)
    if value > ONE:
        detail = f"{name} is {value}; it is a fraction and must be at most 1"
        raise InvalidInput("above_one", detail, f"{within}/{name}")


def require_aware(name: str, value: datetime) -> None:
    if value.utcoffset() is None:
        raise InvalidInput("naive_time", f"{name} is {value.isoformat()}, which has no offset; times need one")


def exact_sum(values: Iterable[Decimal]) -> Decimal:
    return reduce(EXACT.add, values, ZERO)


def ratio(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Rounded to 28 significant digits."""
    return ROUNDED.divide(dividend, divisor)


def plain(value: Decimal) -> str:
    """For people: without an exponent and without trailing zeros."""
    return f"{EXACT.normalize(value):f}"


def require_on_tick(name: str, price: Decimal, tick: Decimal, pointer: str) -> None:
    """Raises InvalidInput, which names the two nearest prices, where `price` is no multiple of `tick`."""
    ticks = Fraction(price) / Fraction(tick)  # exact, where the remainder of two Decimals may have too many digits
    if ticks.denominator == 1:
        return
    near = [plain(EXACT.multiply(count, tick)) for count in (int(ticks), int(ticks) + 1) if count]
    raise InvalidInput(
        "off_tick", f"{name} is {plain(price)}, between two ticks of {plain(tick)}: send {' or '.join(near)}", pointer
    )


def whole_lots(name: str, size: Decimal, lot: Decimal) -> int:
    """How many lots make `size`. Raises InvalidInput where it is not a whole number of them, or above `LOTS_MAX`."""
    if size > EXACT.multiply(lot, LOTS_MAX):
        detail = f"{name} is {size}, which is more than {LOTS_MAX} times {lot}"
        raise InvalidInput("too_many_lots", detail, f"#/{name}")
    lots, rest = EXACT.divmod(size, lot)
    if rest:
        raise InvalidInput("not_whole_lots", f"{name} is {size}, which is not a multiple of {lot}", f"#/{name}")
    return int(lots)


def lots_within(size: Decimal, lot: Decimal) -> int:
    """The most lots that fit into `size`, which is not negative."""
    return int(EXACT.divide_int(size, lot))
