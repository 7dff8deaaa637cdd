"""Commands over the API: each under its own name, tried or carried out by the gate that the pages go through."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Header, NinjaAPI, Query
from pydantic import BaseModel, Field

from trialwright.core.finding import Refused, finding
from trialwright.trial import events as e
from trialwright.trial.commands import Command
from trialwright.web.api.problems import REFUSALS, NotAllowed
from trialwright.web.api.schemas import COMMANDS, Outcome, Problem, entry, model_of
from trialwright.web.guard import allowed, desk, sender
from trialwright.web.models import ApiKeyUsed
from trialwright.web.orders import ORDERS
from trialwright.web.permissions import COMMANDS as ROLES_OF
from trialwright.web.reach import in_reach

#: What a person signs with her password, on a page: a token is nobody's signature.
SIGNED = frozenset(order.command for order in ORDERS.values() if order.meaning)
Dry = Annotated[bool, Query(description="Only say what the gate would answer; nothing is written.")]
Key = Annotated[
    Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{8,80}$")] | None,
    Header(
        alias="Idempotency-Key",
        description="A name of yours for this very request, needed to write: sent again, it counts once.",
    ),
]


def install(api: NinjaAPI) -> None:
    """One path for every command there is."""
    for name, command in COMMANDS.items():
        first = (command.__doc__ or "").strip().splitlines()[0]
        roles = ", ".join(sorted(ROLES_OF[command]))
        signed = " It is signed on its page, and can only be tried here." if command in SIGNED else ""
        path = api.post(
            f"/commands/{name}",
            operation_id=name,
            summary=first,
            description=f"For the roles {roles}.{signed}",
            response={200: Outcome, 409: Problem, **REFUSALS},
            tags=["commands"],
        )
        path(_view(name, command, model_of(command)))


def _view(name: str, command: type[Command], model: type[BaseModel]) -> Callable[..., Any]:
    def view(request: HttpRequest, body: Any, dry_run: Dry = False, idempotency_key: Key = None) -> Outcome:
        built = _built(command, body)
        _may(request, command, dry_run)
        in_reach(desk(), request.acting, built)
        if dry_run:
            return _tried(request, name, built)
        if idempotency_key is None:
            raise Refused(finding("api_key_missing"))
        return _carried_out(request, name, built, body, idempotency_key)

    view.__annotations__["body"] = model
    view.__name__ = name
    return view


def _built(command: type[Command], body: BaseModel) -> Command:
    told: dict[str, Any] = {one.name: getattr(body, one.name) for one in fields(command)}
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    return command(**values)


def _may(request: HttpRequest, command: type[Command], dry_run: bool) -> None:
    """The same table as on the pages; beside it the scope of the token."""
    acting, name = request.acting, command.__name__
    if not allowed(request, command):
        raise NotAllowed(finding("api_not_your_role", what=name, role=acting.role))
    if not dry_run and not request.token.writes:
        raise NotAllowed(finding("api_reads_only", name=request.token.name))
    if not dry_run and command in SIGNED:
        raise NotAllowed(finding("api_is_signed", command=name))


def _tried(request: HttpRequest, name: str, command: Command) -> Outcome:
    tried = desk().try_out({name: command}, sender(request))
    if name in tried.refused:
        raise Refused(*tried.refused[name])
    return Outcome(accepted=True, dry_run=True, repeated=False, events=[], queries=tried.asked.get(name, []))


def _carried_out(request: HttpRequest, name: str, command: Command, body: BaseModel, key: str) -> Outcome:
    told = hashlib.sha256(f"{name} {body.model_dump_json()}".encode()).hexdigest()
    used, _ = ApiKeyUsed.objects.get_or_create(token=request.token, key=key, defaults={"digest": told})
    if used.digest != told:
        raise Refused(finding("api_key_reused", key=key))
    form = f"api {request.token.pk} {key}"
    repeated = desk().sent_before(form, [name])
    events = desk().submit({name: command}, sender(request), form)
    asked = [str(one.payload.get("says")) for one in events if one.type == e.QUERY_OPENED]
    return Outcome(
        accepted=True, dry_run=False, repeated=repeated, events=[entry(one) for one in events], queries=asked
    )
