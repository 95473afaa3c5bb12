"""When a call is sent again, and how long that is put off."""

from __future__ import annotations

from dataclasses import dataclass

from lem_client.errors import ClientError, Refused, UnexpectedAnswer, Unreachable

NOT_TAKEN = 429
"""The service has refused the request before it took anything of it."""
PASSING = frozenset({408, NOT_TAKEN, 500, 502, 503, 504})
"""Statuses that may be others a moment later; 502 and 504 are those of proxies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """A call is sent at most `attempts_max` times, and not again once that would be more than `seconds_max` after the
    first time. Pauses double from `first_pause_seconds` to `pause_seconds_max`, less up to a half by chance, and are
    never shorter than the service asks for by Retry-After."""

    attempts_max: int = 8
    seconds_max: float = 30.0
    first_pause_seconds: float = 0.2
    pause_seconds_max: float = 5.0

    def pause_seconds(self, attempts: int, error: ClientError, chance: float) -> float:
        """After so many attempts, of which `error` was the last; `chance` is drawn from [0, 1). What the service asks
        for is lengthened by chance, so that not all who were refused together come back together."""
        doubled: float = min(self.first_pause_seconds * 2 ** (attempts - 1), self.pause_seconds_max)
        if error.retry_after_seconds is None:
            return doubled * (1.0 - chance / 2)
        return error.retry_after_seconds + doubled * chance


NO_RETRIES = Retries(attempts_max=1)


def may_pass(error: ClientError, *, repeatable: bool) -> bool:
    """Whether the same call may succeed later and is safe to send again. A call that is not `repeatable` is sent again
    only where the service cannot have taken it."""
    if isinstance(error, Unreachable):
        return repeatable or not error.may_have_arrived
    if isinstance(error, Refused | UnexpectedAnswer):
        return error.status in PASSING and (repeatable or error.status == NOT_TAKEN)
    return False
