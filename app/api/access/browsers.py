"""What a browser must not do for a page of somebody else. Plain clients send none of these headers, and need none."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

from app.domain.errors import Forbidden, Misdirected

OWN_SITES = frozenset({b"same-origin", b"none"})
"""What `Sec-Fetch-Site` says of a page of our own, and of what the user typed."""
LOCALHOST = "localhost"


def require_no_foreign_page(headers: Mapping[bytes, bytes]) -> None:
    """For a request that changes something. Raises Forbidden("cross_site") where a browser sends the request for a page
    of another origin: the user has not asked for it."""
    site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
    if site is None and origin is None:
        return
    own = site in OWN_SITES if site is not None else _is_own(origin or b"", headers.get(b"host", b""))
    if not own:
        raise Forbidden("cross_site", "a page of another site must not change anything here; call without a browser")


def require_own_host(headers: Mapping[bytes, bytes]) -> None:
    """For a service that serves its own machine without keys. Raises Misdirected("unknown_host") where the request
    names another host: a foreign page may have given its name our address (DNS rebinding), and would read the answers.
    """
    host = headers.get(b"host")
    if host is not None and not _is_loopback(host.decode("latin-1")):
        raise Misdirected(
            "unknown_host",
            "without API keys the service answers calls of localhost alone; create a key, or have the proxy name it so",
        )


def _is_own(origin: bytes, host: bytes) -> bool:
    """A sandboxed page has the origin `null`, which has no host."""
    return bool(host) and origin.partition(b"://")[2].lower() == host.lower()


def _is_loopback(host: str) -> bool:
    """Of `name`, `name:port`, `address:port` or `[address]:port`."""
    bare = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    name = bare.lower().rstrip(".")
    if name == LOCALHOST or name.endswith(f".{LOCALHOST}"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
