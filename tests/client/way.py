"""The way to the service, on which answers may be lost."""

from __future__ import annotations

import httpx

from lem_client import Retries

AT_ONCE = Retries(first_pause_seconds=0.0)


class Way(httpx.AsyncBaseTransport):
    """The way to the service, on which the first `lost` answers to each kind of POST and DELETE are lost."""

    def __init__(self, service: httpx.AsyncClient, lost: int = 0) -> None:
        self._service, self._lost = service, lost
        self.sent: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._service.send(request)
        self.sent.append(f"{request.method} {request.url.path}")
        if request.method in {"POST", "DELETE"} and self.sent.count(self.sent[-1]) <= self._lost:
            raise httpx.ReadTimeout("the answer is lost", request=request)
        return response
