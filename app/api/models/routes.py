"""`/v1/models`: the catalogue, activation, shadows, and model cards."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from app.api.access.callers import AccountDep
from app.api.analyses.accepted import preferred
from app.api.audit import audited
from app.api.codes import QUERY
from app.api.models.bodies import ActivationOut, CardOut, ModelOut, ModelsOut, ShadowingOut
from app.api.models.card_page import as_html, as_markdown, card_page
from app.api.models.shadow_bodies import ShadowOut
from app.api.openapi import problems
from app.api.services import ServicesDep
from app.domain.errors import Conflict, Forbidden

router = APIRouter(tags=["models"])

NAME_MAX = 160
ModelName = Annotated[
    str,
    Path(max_length=NAME_MAX, description="Name and digest of a bundle, or its name alone where one bundle has it."),
]
KNOWN_MODEL = (*QUERY, "unknown_model", "overloaded", "store_unavailable")
LONG = frozenset({"golden"})
"""Of a card: inputs and outputs of the graphs, which mean nothing to a reader."""


class CardFormat(StrEnum):
    JSON = "application/json"
    MARKDOWN = "text/markdown"
    HTML = "text/html"


CARD_RANGES = {
    **{each.value: each for each in CardFormat},
    "*/*": CardFormat.JSON,
    "application/*": CardFormat.JSON,
    "text/*": CardFormat.MARKDOWN,
}
CARD_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            CardFormat.MARKDOWN.value: {"schema": {"type": "string"}},
            CardFormat.HTML.value: {"schema": {"type": "string"}},
        }
    }
}


@router.get("/v1/models", summary="The bundles side by side", responses=problems("overloaded"))
async def list_models(services: ServicesDep) -> ModelsOut:
    """Every bundle that lies in the service's folders now, with its card and, where it does not serve, why. A bundle
    that is new there is checked and its golden cases are replayed first, which takes a moment. `max_steps` of a card is
    the most steps that an order may have which the bundle decides."""
    models = services.engine.models
    entries, chosen = await models.entries(), models.selection
    return ModelsOut(
        models=[ModelOut.of(each, models) for each in entries],
        activation=ActivationOut.of(chosen.active) if chosen.active else None,
        shadowing=ShadowingOut.of(chosen.shadow) if chosen.shadow else None,
    )


@router.post(
    "/v1/models/{name}/activate",
    summary="Let a bundle decide new orders",
    responses=problems(*KNOWN_MODEL, "model_refused"),
)
async def activate_model(name: ModelName, services: ServicesDep) -> ActivationOut:
    """From now on the bundle decides new orders, in this process at once and in all that share its store within about a
    second, after a restart too. Orders under way stay on the bundle that they were accepted with. Twice is once. To go
    back, activate the `former` one."""
    activation = await services.engine.models.activate(name, datetime.now(UTC))
    audited(model=activation.name)
    return ActivationOut.of(activation)


@router.post(
    "/v1/models/{name}/shadow",
    summary="Let a bundle decide silently",
    responses=problems(*KNOWN_MODEL, "model_refused"),
)
async def shadow_model(name: ModelName, services: ServicesDep) -> ShadowingOut:
    """From now on the bundle decides silently, in all processes within about a second and after a restart: each order
    that ends is decided again on the recorded bars, by this bundle and by its own, once its longest horizon has passed.
    No slice follows from it, and none waits for it. There is one shadow at a time: another takes its place."""
    shadow = await services.engine.models.put_shadow(name, datetime.now(UTC))
    audited(model=shadow.name)
    return ShadowingOut.of(shadow)


@router.delete(
    "/v1/models/{name}/shadow",
    summary="End a shadow",
    status_code=204,
    responses=problems(*KNOWN_MODEL),
)
async def end_shadow(name: ModelName, services: ServicesDep) -> None:
    """The bundle decides silently no more; what was compared is kept. A bundle that is no shadow stays none."""
    models = services.engine.models
    entry = await models.entry(name)
    if models.selection.shadow is not None and models.selection.shadow.name == entry.name:
        await models.end_shadow()
    audited(model=entry.name)


@router.get(
    "/v1/models/{name}/shadow",
    summary="What a shadow would have done",
    responses=problems(*KNOWN_MODEL, "foreign_account"),
)
async def get_shadow(name: ModelName, services: ServicesDep, account: AccountDep) -> ShadowOut:
    """Its decisions beside those of the bundles that decided, and what orders would have cost with it: over the newest
    5,000 orders that were compared. It covers the orders of all accounts."""
    if account is not None:
        raise Forbidden("foreign_account", "a shadow covers all accounts; ask with a key that is bound to none")
    full_name, orders = await services.engine.shadows.of(name)
    shadow = services.engine.models.selection.shadow
    since = shadow.at if shadow is not None and shadow.name == full_name else None
    return await asyncio.to_thread(ShadowOut.of, full_name, since, orders)


@router.get(
    "/v1/models/{name}/card",
    summary="A bundle's model card",
    response_model=CardOut,
    responses={**CARD_CONTENT, **problems(*KNOWN_MODEL, "model_refused", "not_acceptable")},
)
async def get_card(name: ModelName, request: Request, services: ServicesDep) -> Response:
    """What the bundle is, what it was trained on, what was measured of it and what its orders earn. `Accept:
    text/markdown` or `text/html` asks for a page to read."""
    wanted = preferred(request.scope, CARD_RANGES, CardFormat.JSON)
    entry = await services.engine.models.entry(name)
    if entry.problem is not None:
        raise Conflict("model_refused", f"{entry.name} does not serve: {entry.problem}")
    return await asyncio.to_thread(_card_in, wanted, entry, services)


def _card_in(wanted: CardFormat, entry: Any, services: Any) -> Response:
    told = services.cards.whole_card(entry).model_dump(mode="json", exclude=set(LONG))
    if wanted is CardFormat.JSON:
        return Response(CardOut(name=entry.name, card=told).model_dump_json(), media_type=wanted)
    page = card_page(entry.name, told)
    text = as_html(page) if wanted is CardFormat.HTML else as_markdown(page)
    return Response(text, media_type=wanted)
