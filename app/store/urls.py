"""Where the store is: one server, a master that sentinels name, or a cluster."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

PORT, SENTINEL_PORT = 6379, 26379
URL_FORMS = (
    "must be like redis://[[user]:password@]host[:port][/db], rediss://... (TLS), unix://path, "
    "redis+sentinel://host:port,host:port/service_name[/db] or redis+cluster://host:port,host:port; "
    "in a password, write / as %2F, @ as %40, # as %23 and ? as %3F"
)
_SEVERAL = re.compile(
    r"(?P<scheme>rediss?)\+(?P<kind>cluster|sentinel)://(?:(?P<login>[^@/?#]*)@)?(?P<hosts>[^@/?#]+)"
    r"(?:/(?P<path>[^?#]*))?(?:\?(?P<query>[^#]*))?"
)
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?")


class Kind(StrEnum):
    SINGLE = "single"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


Host = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreUrl:
    """`hosts` are the nodes of a cluster that are asked for the others, or the sentinels; `service` is the name by
    which the sentinels know the master. `before` and `behind` are what a url of one server has around its host."""

    kind: Kind
    before: str
    behind: str
    hosts: tuple[Host, ...] = ()
    service: str = ""

    def at(self, host: Host) -> str:
        """The url of that server, with the login and the options of this one."""
        name, port = host
        return f"{self.before}{f'[{name}]' if ':' in name else name}:{port}{self.behind}"


def store_url(text: str) -> StoreUrl:
    """Raises ValueError, which never repeats the password."""
    if "+cluster:" not in text and "+sentinel:" not in text:
        return StoreUrl(kind=Kind.SINGLE, before=text, behind="")
    found = _SEVERAL.fullmatch(text)
    if found is None:
        raise ValueError(URL_FORMS)
    kind = Kind(found["kind"])
    service, _, db = (found["path"] or "").partition("/")
    if (kind is Kind.SENTINEL) != bool(service) or (db and not db.isdecimal()):
        raise ValueError(URL_FORMS)
    standard = SENTINEL_PORT if kind is Kind.SENTINEL else PORT
    return StoreUrl(
        kind=kind,
        before=f"{found['scheme']}://" + (f"{found['login']}@" if found["login"] is not None else ""),
        behind=(f"/{db}" if db else "") + (f"?{found['query']}" if found["query"] else ""),
        hosts=tuple(_host(each, standard) for each in found["hosts"].split(",")),
        service=service,
    )


def _host(text: str, standard: int) -> Host:
    found = _HOST.fullmatch(text.strip())
    if found is None:
        raise ValueError(URL_FORMS)
    return found["host"].strip("[]"), int(found["port"] or standard)
