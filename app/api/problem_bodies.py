"""A problem on the wire: the body of every refusal."""

from __future__ import annotations

from app.api.values import Answer


class FieldError(Answer):
    """One thing that is wrong with a request."""

    code: str
    """Stable code of what is wrong with the field."""
    detail: str
    """What is wrong, in words for people; at most 500 characters."""
    pointer: str | None = None
    """JSON pointer to the field of the body, such as `#/limits/limit_price`; left out where a parameter is wrong."""
    parameter: str | None = None
    """Name of the parameter of the query or the path; left out where the body is wrong."""


class Problem(Answer):
    """Why a request was refused, in the form of RFC 9457."""

    type: str
    """`urn:lem:problem:` and the code."""
    title: str
    """Phrase of the status."""
    status: int
    """The status of the answer, 400 to 503."""
    detail: str
    """What is wrong and what to do, in words for people; at most 500 characters."""
    code: str
    """Stable code for programs. Where `errors` lists several, it is the first one's."""
    instance: str
    """Path that was called; `/` where the request is not HTTP."""
    request_id: str | None = None
    """The answer's `X-Request-ID`, by which the service's logs know the request."""
    errors: list[FieldError] | None = None
    """Each wrong field or parameter, the first 20 of them; left out where none is to blame."""
