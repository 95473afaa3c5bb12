"""Every key in the store, and how long it lives.

The hash tag `{SYMBOL}` keeps all that belongs to an instrument in one cluster slot, so that one script can change it
atomically; a claim belongs to a client_order_id, which may come on any instrument, and stands alone: on a cluster it is
taken before its order is recorded, elsewhere by the same script.

| key | type | what | lives |
|---|---|---|---|
| `lem:instruments` | set | the symbols | for ever |
| `lem:probe` | string | written by whoever asks whether the service is ready | for ever |
| `lem:probe:{NUMBER}` | string | the same, one for each master of a cluster | for ever |
| `lem:processes` | sorted set | the processes that share the store, by when they count as dead | while they live |
| `lem:{SYMBOL}:instrument` | hash | `json`, `terms`, `windows`, `revision`, `changed`, and what is below | for ever |
| `lem:{SYMBOL}:bars` | stream | a bar per entry, its id `<open_time in ms>-0` | the newest `bars_kept(lookback)` |
| `lem:{SYMBOL}:revisions` | hash | bars that came again with other values (JSON), by id | while their windows do |
| `lem:{SYMBOL}:quality` | hash | how many bars were accepted, refused, late and so on, a counter each | for ever |
| `lem:{SYMBOL}:rebuilt:ID` | stream | bars that are about to take the place of the others | `REBUILT_SECONDS` at most |
| `lem:{SYMBOL}:sequence` | counter | orders accepted so far | for ever |
| `lem:{SYMBOL}:orders` | sorted set | order ids by sequence | for ever |
| `lem:{SYMBOL}:orders:STATUS` | sorted set | those in that status | for ever |
| `lem:{SYMBOL}:account:ACCOUNT` | sorted set | order ids of an account by sequence | for ever |
| `lem:{SYMBOL}:awaiting` | set | order ids to which bars still matter, at most `AWAITING_MAX` | while they do |
| `lem:{SYMBOL}:order:ORDER_ID` | hash | `mandate`, `state`, `slice` (JSON), and numbers of its commit | for ever |
| `lem:{SYMBOL}:slices:ORDER_ID` | hash | a slice (JSON) by step | for ever |
| `lem:{SYMBOL}:fills:ORDER_ID` | hash | a reported fill (JSON) by execution_id, of orders in its place too | for ever |
| `lem:{SYMBOL}:events` | stream | what happened to orders, an event (JSON) each | about the newest `EVENTS_KEPT` |
| `lem:api_keys` | hash | an API key (JSON, with a hash of its text) by its prefix, and `changed` | for ever |
| `lem:models` | hash | which bundle is `active`, and which one is the `shadow` (JSON) | for ever |
| `lem:shadow:NAME` | list | orders as that shadow decides (JSON), newest first | `SHADOWED_SECONDS` |
| `lem:{webhooks}` | hash | a webhook (JSON, with its secret) by its id, and `changed` | until it is deleted |
| `lem:{webhooks}:progress` | hash | how far its deliveries are (JSON), by id | as the webhook |
| `lem:{webhooks}:lease` | string | the process that delivers | seconds, while it does |
| `lem:{webhooks}:dead:ID` | stream | events (JSON) that it did not take | the newest `DEAD_LETTERS_KEPT` |
| `lem:claim:ORDER_ID` | string | who took the client_order_id first (JSON) | for ever; a refused one gives way |

An order's `slice` is its newest one; `version`, `step`, `commit` and `sequence` say which commit stands there, and when
the order was accepted. Of an instrument, `late_seconds` is how late its feed is, and `changed` names the last change of
its orders: whoever holds them in memory sees there whether others have written (held_orders.py). Where several
processes share the store, `owner` is the one that decides for the instrument, and `fence` counts the changes of owner.
Of an instrument that was deleted its `revision` and its `fence` are left, and all that is of its orders but the lists.

On the channels `lem:notices` and `lem:notices:PROCESS` processes give each other notice; nothing is kept of it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.domain.lifecycle import Status
from app.engine.instruments.history import STEP_BARS_MAX

EVENTS_KEPT = 100_000
AWAITING_MAX = 10_000
BARS_KEPT_MIN = 10_000
REBUILT_SECONDS = 600
SHADOWED_KEPT = 5_000
SHADOWED_SECONDS = 90 * 86_400
INSTRUMENTS = "lem:instruments"
PROBE = "lem:probe"
PROCESSES = "lem:processes"
NOTICES = "lem:notices"
API_KEYS = "lem:api_keys"
MODELS = "lem:models"
WEBHOOKS = "lem:{webhooks}"
WEBHOOK_PROGRESS, WEBHOOK_LEASE = f"{WEBHOOKS}:progress", f"{WEBHOOKS}:lease"
WEBHOOKS_MAX = 100
DEAD_LETTERS_KEPT = 1_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def bars_kept(lookback: int) -> int:
    """Enough for a lookback (in steps) of the longest steps."""
    return max(BARS_KEPT_MIN, lookback * STEP_BARS_MAX)


def instrument(symbol: str) -> str:
    return f"lem:{{{symbol}}}:instrument"


def bars(symbol: str) -> str:
    return f"lem:{{{symbol}}}:bars"


def revisions(symbol: str) -> str:
    return f"lem:{{{symbol}}}:revisions"


def quality(symbol: str) -> str:
    return f"lem:{{{symbol}}}:quality"


def rebuilt(symbol: str, rebuilt_id: str) -> str:
    return f"lem:{{{symbol}}}:rebuilt:{rebuilt_id}"


def sequence(symbol: str) -> str:
    return f"lem:{{{symbol}}}:sequence"


def orders(symbol: str, status: Status | None = None) -> str:
    return f"lem:{{{symbol}}}:orders" + (f":{status}" if status else "")


def account_orders(symbol: str, account: str) -> str:
    return f"lem:{{{symbol}}}:account:{account}"


def awaiting(symbol: str) -> str:
    return f"lem:{{{symbol}}}:awaiting"


def order(symbol: str, order_id: str) -> str:
    return f"lem:{{{symbol}}}:order:{order_id}"


def slices(symbol: str, order_id: str) -> str:
    return f"lem:{{{symbol}}}:slices:{order_id}"


def fills(symbol: str, order_id: str) -> str:
    return f"lem:{{{symbol}}}:fills:{order_id}"


def events(symbol: str) -> str:
    return f"lem:{{{symbol}}}:events"


def probe(number: int) -> str:
    """A key that lies in some slot of a cluster; which one, the number decides."""
    return f"{PROBE}:{{{number}}}"


def every(symbol: str) -> str:
    """A pattern of all keys of the instrument."""
    return f"lem:{{{symbol}}}:*"


def claim(order_id: str) -> str:
    return f"lem:claim:{order_id}"


def shadow(name: str) -> str:
    return f"lem:shadow:{name}"


def dead_letters(webhook_id: str) -> str:
    return f"{WEBHOOKS}:dead:{webhook_id}"


def notices(process: str) -> str:
    """The channel of that process."""
    return f"{NOTICES}:{process}"


def bar_id(open_time: datetime) -> str:
    """The stream id of the bar that opens then."""
    return f"{(open_time - EPOCH) // MILLISECOND}-0"
