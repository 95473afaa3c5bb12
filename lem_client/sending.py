"""How calls look to httpx: what both clients hand to it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

import httpx

from lem_client.calls import Call

TIMEOUT_SECONDS = 10.0
PACKAGE = "lem-execution"


def connection(url: str, api_key: str | None) -> dict[str, Any]:
    """The arguments of a new httpx client."""
    headers = {"user-agent": f"lem-client/{_version()}", "accept": "application/json"}
    if api_key is not None:
        headers["authorization"] = f"Bearer {api_key}"
    return {"base_url": url, "headers": headers}


def request(call: Call[Any], timeout_seconds: float) -> dict[str, Any]:
    """The arguments of one request. The answer may take as long as the call itself waits, and then the timeout."""
    return {
        "method": call.method,
        "url": call.path,
        "params": call.query,
        "json": call.body,
        "timeout": httpx.Timeout(timeout_seconds, read=timeout_seconds + call.wait_seconds),
    }


def _version() -> str:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:  # the package is used from a checkout that is not installed
        return "0"
