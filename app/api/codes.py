"""Every code that a problem may carry, with its status and meaning: the stable part of the error interface.

A test holds this list to the refusals in the code. What a route may answer is in the OpenAPI document.
"""

from __future__ import annotations

CODES: dict[str, tuple[int, str]] = {
    "bad_request": (400, "the request is not HTTP/1.1, or its body broke off"),
    "key_missing": (401, "the call needs an API key"),
    "key_unknown": (401, "no API key has that text, or it is revoked or has expired"),
    "cross_site": (403, "a browser sent the call for a page of another site"),
    "foreign_account": (403, "the key is bound to another account"),
    "keys_needed": (403, "others than this machine can reach the service, and it has no API keys yet"),
    "scope_missing": (403, "the key does not have the scope that the call needs"),
    "unknown_path": (404, "no route has that path"),
    "unknown_instrument": (404, "no instrument has that name"),
    "unknown_model": (404, "no bundle has that name, or several have"),
    "unknown_order": (404, "no order has that id"),
    "unknown_execution": (404, "the order has no fill of that execution_id"),
    "unknown_webhook": (404, "no webhook has that id"),
    "unknown_step": (404, "the order has no slice of that step"),
    "method_not_allowed": (405, "the path does not take that method"),
    "not_acceptable": (406, "the route answers in none of the formats that the request accepts"),
    "request_timeout": (408, "the request did not come in time"),
    "bar_out_of_order": (409, "orders stand on newer bars, or the bar opens before the one before it closes"),
    "client_order_id_reused": (409, "another order has that client_order_id"),
    "execution_id_reused": (409, "another fill of the order has that execution_id"),
    "fill_busted": (409, "the fill is busted, and cannot be corrected"),
    "fills_assumed": (409, "the order takes no reports"),
    "history_too_short": (409, "the instrument has too few bars to know its volatility"),
    "instrument_in_use": (409, "orders stand on what would change or go"),
    "model_refused": (409, "the bundle fails its checks and does not serve"),
    "no_bars": (409, "the instrument has no bar yet, so no price to start from"),
    "webhook_exists": (409, "the url has a webhook already"),
    "order_ended": (409, "the order has ended otherwise"),
    "order_replaced": (409, "another order stands in the place of the order"),
    "size_committed": (409, "the new size is below what is filled and in flight"),
    "horizon_used_up": (409, "the new horizon ends before what is left could be traded"),
    "replaced_too_often": (409, "as many orders have replaced one another as may"),
    "events_gone": (410, "events behind that one are no longer kept"),
    "payload_too_large": (413, "the body has more bytes than it may"),
    "unsupported_media_type": (415, "the content-type is not one that the route reads, or there is a content-encoding"),
    "unknown_host": (
        421,
        "the call names a host as a site on the internet may be named, and the service has no API keys",
    ),
    "above_max_order_notional": (422, "the order is worth more than the instrument's max_order_notional"),
    "above_one": (422, "a fraction is above 1"),
    "bad_bar_seconds": (422, "bar_seconds is not within 1 to 86400"),
    "bad_cursor": (422, "the cursor is not one that a page gave"),
    "bad_grace_seconds": (422, "grace_seconds is below 0, or not less than bar_seconds"),
    "bad_horizon": (422, "min_steps or step_seconds is below 1"),
    "bad_json": (422, "the body is not JSON"),
    "bad_symbol": (422, "a symbol has letters, digits and . _ - / only"),
    "bad_text": (422, "a text is empty, too long, or has control characters"),
    "bad_time": (422, "a time is not in RFC 3339"),
    "bad_url": (422, "a url is none, or has a user or a password"),
    "bar_too_far_ahead": (422, "the bar is too far ahead of the one before it, or of the clock"),
    "bar_too_old": (422, "the bar opens before 1970-01-02"),
    "below_min_notional": (422, "the order is worth less than the instrument's min_notional"),
    "decimal_not_a_string": (422, "a decimal is not a JSON string"),
    "empty": (422, "a list has no entry"),
    "executed_at_implausible": (422, "executed_at is ten years or more from the newest time"),
    "field_missing": (422, "a field is missing"),
    "high_below_low": (422, "the bar's high is below its low"),
    "horizon_ambiguous": (422, "the horizon has both steps and times"),
    "horizon_inverted": (422, "min_steps is above max_steps, or earliest_end after latest_end"),
    "horizon_too_long": (422, "max_steps is more than the model knows, or latest_end leaves more"),
    "horizon_too_short": (422, "no step ends between earliest_end and latest_end"),
    "misaligned_bar": (422, "no window of the instrument opens at open_time"),
    "naive_time": (422, "a time has no offset"),
    "negative": (422, "a number is below zero"),
    "not_a_decimal": (422, "a decimal has at most 15 digits, then at most 12 decimals, and no exponent"),
    "not_finite": (422, "a number is NaN or infinite"),
    "not_positive": (422, "a number is not above zero"),
    "not_whole_lots": (422, "the size is no multiple of the instrument's lot or notional step"),
    "off_tick": (422, "the price is no multiple of the instrument's tick_size"),
    "out_of_range": (422, "a number is outside its bounds"),
    "outside_calendar": (422, "the bar, or a step of the order, is beyond the sessions that the calendar knows"),
    "no_sessions": (422, "the instrument trades around the clock: it has no open or close to avoid"),
    "no_usable_steps": (422, "every step of the order touches minutes that it avoids"),
    "participation_infeasible": (422, "the order is more than its participation limit allows of the expected volume"),
    "price_implausible": (422, "the fill's price is not within 10 times the last close"),
    "price_outside_range": (422, "the bar's open or close is outside low..high"),
    "replace_changes_order": (422, "a replace changes what makes the order another one"),
    "repeated_field": (422, "a field comes more than once in the same object"),
    "size_ambiguous": (422, "both quantity and notional are given"),
    "size_implausible": (422, "the size is beyond what the market could trade in the order's steps"),
    "size_missing": (422, "neither quantity nor notional is given"),
    "slice_cap_infeasible": (422, "max_steps slices under the cap cannot make the order"),
    "start_time_past": (422, "start_time has passed"),
    "start_time_too_far": (422, "start_time is too far ahead"),
    "step_seconds_unsupported": (422, "the calendar or the bars do not allow such steps"),
    "time_out_of_range": (422, "the year is not within 1970 and 2200"),
    "too_many": (422, "a list, an object or the whole body has too many entries"),
    "too_many_gaps": (422, "the gaps of the request take more synthetic bars than one request may have"),
    "too_many_to_analyse": (422, "more orders fit than one answer holds"),
    "too_many_lots": (422, "the size has more lots than can be counted"),
    "unknown_calendar": (422, "no calendar has that code, or its sessions cannot be computed"),
    "unknown_field": (422, "the field does not exist"),
    "unknown_slice": (422, "the order has no such slice"),
    "unknown_value": (422, "the word is none of those that the field takes"),
    "wrong_type": (422, "the JSON type is another one than the field's"),
    "upgrade_required": (426, "the path is a WebSocket, and the request asks for none, of version 13"),
    "feed_too_fast": (429, "bars of the instrument wait for earlier bars already; await the answers to those"),
    "rate_limited": (429, "the key has made as many calls in this second as it may"),
    "too_many_pipelined": (429, "the connection has sent too many requests without awaiting an answer"),
    "headers_too_large": (431, "the headers have more than 64 KiB"),
    "internal_error": (500, "the service failed; what was asked for is safe to repeat"),
    "bar_not_closed": (503, "the bar's window has not closed yet; send the bar again then"),
    "busy": (503, "others change the same thing too fast; repeat it"),
    "instrument_failed": (503, "the instrument cannot be opened now and is tried again; others are served"),
    "instrument_unreadable": (503, "the store holds something of the instrument that this release does not understand"),
    "order_unreadable": (503, "the store holds something of the order that this release does not understand"),
    "overloaded": (503, "as many requests of this kind wait as may, or this one has waited too long"),
    "quote_too_slow": (503, "the policies, or the quotes before it, take too long now"),
    "shutting_down": (503, "the service ends; what was asked for is safe to repeat"),
    "store_unavailable": (503, "the store is away; what was asked for is safe to repeat"),
    "too_many_connections": (503, "the service has as many connections as it may"),
    "too_many_orders": (503, "the instrument has as many live orders as it may"),
    "too_many_event_streams": (503, "the service has as many streams of events as it may"),
    "too_many_bar_streams": (503, "the service has as many streams of bars as it may"),
    "too_many_webhooks": (503, "the service has as many webhooks as it may"),
    "too_many_quotes": (503, "as many quotes wait as may"),
    "too_many_waiters": (503, "as many requests wait as may"),
}

EVERY = (
    *("bad_request", "request_timeout", "headers_too_large", "internal_error"),
    *("shutting_down", "too_many_connections", "too_many_pipelined"),
)
"""What may happen to any call."""

GUARDED = (
    *("key_missing", "key_unknown", "cross_site", "keys_needed", "scope_missing", "unknown_host", "rate_limited"),
    "store_unavailable",
)
"""What may happen to any call that not everybody may make."""

QUERY = ("wrong_type", "unknown_field", "unknown_value", "out_of_range", "bad_text")
"""What may be wrong with any query or path parameter."""

BODY = (
    *("payload_too_large", "unsupported_media_type", "bad_json", "wrong_type"),
    *("field_missing", "repeated_field", "too_many", "unknown_field", "bad_text", "decimal_not_a_string"),
    *("not_a_decimal", "not_finite", "not_positive", "negative", "out_of_range"),
)
"""What may be wrong with any body."""

TIMES = ("bad_time", "naive_time", "time_out_of_range")
"""What may be wrong with any time."""

STORE = ("overloaded", "store_unavailable", "busy", "instrument_failed", "instrument_unreadable", "order_unreadable")
"""What may keep a call from being served now: too many others, or the store."""

KNOWN_ORDER = (*QUERY, "unknown_order", *STORE)
"""What may be wrong with any call on one order."""
