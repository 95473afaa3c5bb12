"""Why a call has failed.

ClientError
├── Refused             the service answered with a problem; `code` is stable
│   ├── InvalidInput    422: the request can never be met as it stands
│   ├── NotPermitted    401, 403: the API key is missing, unknown, or does not permit the call
│   ├── NotFound        404: there is no such thing
│   ├── Conflict        409: the call contradicts what is recorded
│   ├── TooFast         429: too many calls were sent without awaiting answers
│   └── Unavailable     500, 503: not now
├── Unreachable         no answer came
└── UnexpectedAnswer    what answered is not a service that this release understands
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One thing that is wrong: `pointer` is a JSON pointer into the body, `parameter` the name of a parameter of the
    query or the path."""

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What the service says of a refusal, in the form of RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str
    request_id: str | None = None
    errors: tuple[FieldError, ...] = ()


class ClientError(Exception):
    """A call has failed."""

    retry_after_seconds: float | None = None
    """How long to wait before the call is repeated, where the service has said that."""


class Refused(ClientError):
    """The service answered with a problem. `request_id` finds the call in the service's log."""

    def __init__(
        self, problem: Problem, request_id: str | None = None, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(problem, request_id, retry_after_seconds)
        self.problem = problem
        self.request_id = request_id
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.detail}"

    @property
    def code(self) -> str:
        """Stable, and meant for programs."""
        return self.problem.code

    @property
    def status(self) -> int:
        return self.problem.status

    @property
    def detail(self) -> str:
        """Meant for people."""
        return self.problem.detail

    @property
    def errors(self) -> tuple[FieldError, ...]:
        return self.problem.errors

    @property
    def pointer(self) -> str | None:
        """The first field of the body that is wrong, such as `#/limits/limit_price`; None where no field is."""
        return next((each.pointer for each in self.errors if each.pointer is not None), None)


class InvalidInput(Refused):
    """The request can never be met as it stands."""


class NotPermitted(Refused):
    """The API key is missing, unknown, or does not permit the call."""


class NotFound(Refused):
    """There is no such thing."""


class Conflict(Refused):
    """The call contradicts what is recorded."""


class TooFast(Refused):
    """Too many calls were sent without awaiting answers."""


class Unavailable(Refused):
    """The service cannot answer now."""


class Unreachable(ClientError):
    """No answer came. `may_have_arrived` tells whether the service may have taken the request."""

    def __init__(self, detail: str, may_have_arrived: bool) -> None:
        super().__init__(detail, may_have_arrived)
        self.may_have_arrived = may_have_arrived

    def __str__(self) -> str:
        return str(self.args[0])


class UnexpectedAnswer(ClientError):
    """What answered is not a service that this release understands: a proxy, say, or a much newer service."""

    def __init__(self, detail: str, status: int, retry_after_seconds: float | None = None) -> None:
        super().__init__(detail, status, retry_after_seconds)
        self.status = status
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        return str(self.args[0])


KINDS: dict[int, type[Refused]] = {
    401: NotPermitted,
    403: NotPermitted,
    404: NotFound,
    409: Conflict,
    422: InvalidInput,
    429: TooFast,
    500: Unavailable,
    503: Unavailable,
}
"""The exception for each status; `Refused` itself for all others."""
