"""`POST`, `GET` and `DELETE /v1/webhooks`, and what becomes of dead letters."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from app.api.access.callers import AccountDep, account_for
from app.api.codes import BODY, QUERY
from app.api.openapi import problems
from app.api.services import ServicesDep
from app.api.values import Parameters
from app.api.webhooks.bodies import DeadLettersOut, NewWebhookOut, ResentOut, WebhookIn, WebhookOut, WebhooksOut

router = APIRouter(tags=["events"])

LETTERS_MAX = 1_000
STORE = ("overloaded", "store_unavailable")
WebhookId = Annotated[str, Path(max_length=64, description="our id of the webhook")]


class LettersQuery(Parameters):
    """How many dead letters."""

    limit: Annotated[int, Field(ge=1, le=LETTERS_MAX)] = 100
    """How many are answered at most, 1 to 1,000."""


class ResendQuery(Parameters):
    """How many dead letters are sent again."""

    limit: Annotated[int, Field(ge=1, le=LETTERS_MAX)] = 100
    """How many of the oldest are tried at most, 1 to 1,000."""


@router.post(
    "/v1/webhooks",
    status_code=201,
    summary="Have events sent to an address",
    responses=problems(
        *BODY, "bad_url", "empty", "unknown_value", "webhook_exists", "foreign_account", "too_many_webhooks", *STORE
    ),
)
async def post_webhook(body: WebhookIn, services: ServicesDep, account: AccountDep) -> NewWebhookOut:
    """Events that are recorded from now on are sent, in order, each until it is answered 2xx or given up. The answer
    has the secret that they are signed with, which is not shown again. An address has one webhook for each account."""
    made = await services.webhooks.create(body.url, body.events, account_for(account, body.account))
    return NewWebhookOut.of(*made)


@router.get("/v1/webhooks", summary="All webhooks", responses=problems(*STORE))
async def get_webhooks(services: ServicesDep, account: AccountDep) -> WebhooksOut:
    """With how their deliveries go, without their secrets."""
    found = await services.webhooks.every(account)
    return WebhooksOut(webhooks=[WebhookOut.of(*each) for each in found])


@router.get(
    "/v1/webhooks/{webhook_id}",
    summary="One webhook",
    responses=problems(*QUERY, "unknown_webhook", *STORE),
)
async def get_webhook(webhook_id: WebhookId, services: ServicesDep, account: AccountDep) -> WebhookOut:
    """How its deliveries go."""
    return WebhookOut.of(*await services.webhooks.one(webhook_id, account))


@router.delete(
    "/v1/webhooks/{webhook_id}",
    status_code=204,
    summary="Delete a webhook",
    responses=problems(*QUERY, "unknown_webhook", *STORE),
)
async def delete_webhook(webhook_id: WebhookId, services: ServicesDep, account: AccountDep) -> Response:
    """Nothing more is sent to it, and its dead letters go. A delivery that is under way may still arrive."""
    await services.webhooks.delete(webhook_id, account)
    return Response(status_code=204)


@router.get(
    "/v1/webhooks/{webhook_id}/dead_letters",
    summary="What could not be delivered",
    responses=problems(*QUERY, "unknown_webhook", *STORE),
)
async def get_dead_letters(
    webhook_id: WebhookId, wanted: Annotated[LettersQuery, Query()], services: ServicesDep, account: AccountDep
) -> DeadLettersOut:
    """The events that were given up, the newest first. The newest 1,000 are kept."""
    return DeadLettersOut.of(await services.webhooks.dead_letters(webhook_id, account, wanted.limit))


@router.post(
    "/v1/webhooks/{webhook_id}/dead_letters/resend",
    summary="Send dead letters again",
    responses=problems(*QUERY, "unknown_webhook", *STORE),
)
async def resend_dead_letters(
    webhook_id: WebhookId, wanted: Annotated[ResendQuery, Query()], services: ServicesDep, account: AccountDep
) -> ResentOut:
    """Each of the oldest is tried once more, for up to 20 seconds in all; one that is taken is a dead letter no longer.
    An address that does not answer, or fails, is not asked for the rest. They come under their old ids, beside the
    events that are delivered in order."""
    return ResentOut.of(await services.webhooks.resend(webhook_id, account, wanted.limit))
