"""What a browser must not do for a page of somebody else. Plain clients send none of these headers, and need none."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address

from app.domain.errors import Forbidden, Misdirected

OWN_SITES = frozenset({b"same-origin", b"none"})
"""What `Sec-Fetch-Site` says of a page of our own, and of what the user typed."""
LOCALHOST = "localhost"
HOSTS_CACHED = 256
"""Clients call few hosts, and call them often."""


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
    names a host by a name that a foreign site may have: its page may have given that name our address (DNS rebinding),
    and would read the answers."""
    host = headers.get(b"host", b"").decode("latin-1")
    if _may_be_a_site(host):
        raise Misdirected(
            "unknown_host",
            "without API keys the service answers calls of localhost alone; create a key, or have the proxy name it so",
        )


def _is_own(origin: bytes, host: bytes) -> bool:
    """A sandboxed page has the origin `null`, which has no host."""
    return bool(host) and origin.partition(b"://")[2].lower() == host.lower()


@lru_cache(maxsize=HOSTS_CACHED)
def _may_be_a_site(host: str) -> bool:
    """Whether anybody on the internet can have that name: not an address, nor a name without a dot, nor one that always
    means the own machine."""
    name = host.partition(":")[0].lower().rstrip(".")
    if host.startswith("[") or "." not in name or name.endswith(f".{LOCALHOST}"):
        return False
    try:
        ip_address(name)
    except ValueError:
        return True
    return False
