"""What may be read over the API: the pages' own views, by the pages' own permissions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Query
from pydantic import Field

from trialwright.core.finding import Refused, finding
from trialwright.core.partial_date import partial_date
from trialwright.ledger.envelope import Event
from trialwright.ledger.history import effective
from trialwright.trial import events as e
from trialwright.web.api import schemas as s
from trialwright.web.api.problems import REFUSALS, NotAllowed
from trialwright.web.eligibility_panel import panel
from trialwright.web.exports import OFFERED, made, may_have, offered
from trialwright.web.guard import desk, hers, within
from trialwright.web.lines import summaries
from trialwright.web.pages.reports import handed_out
from trialwright.web.permissions import may_do, may_open
from trialwright.web.summary import Summary, visit_label
from trialwright.web.words import label

Page = Annotated[int, Field(ge=1, le=1_000_000)]
Size = Annotated[int, Field(ge=1, le=500)]
_T = TypeVar("_T")


def install(api: NinjaAPI) -> None:
    """Every path that is read."""
    for path, view, answer, tag in (
        ("/me", me, s.Me, "me"),
        ("/protocol", protocol, s.ProtocolTold, "protocol"),
        ("/participants", participants, s.Women, "participants"),
        ("/participants/{identity}", participant, s.Woman, "participants"),
        ("/participants/{identity}/eligibility", eligibility, s.Eligible, "participants"),
        ("/participants/{identity}/visits", visits, list[s.Visit], "participants"),
        ("/participants/{identity}/observations", observations, s.Observations, "participants"),
        ("/participants/{identity}/audit", audit, s.Entries, "participants"),
        ("/worklist", worklist, list[s.Work], "work"),
        ("/queries", queries, list[s.Query], "work"),
        ("/alerts", alerts, list[s.Alert], "safety"),
        ("/product/lots", lots, list[s.Lot], "product"),
        ("/product/units", units, list[s.Unit], "product"),
        ("/exports", exports, list[s.Offer], "exports"),
    ):
        told: Any = {200: answer, **REFUSALS}
        api.get(path, response=told, tags=[tag], summary=(view.__doc__ or "").strip())(view)
    api.get(
        "/exports/{name}",
        response={202: s.Making, **REFUSALS},
        tags=["exports"],
        summary=(export.__doc__ or "").strip(),
        openapi_extra={"responses": {200: {"description": "The file", "content": {"*/*": {}}}}},
    )(export)


def _opens(request: HttpRequest, page: str) -> None:
    """Refuse what a role may not open on the pages."""
    if not may_open(request.acting.role, page):
        raise NotAllowed(
            finding(
                "role_wrong", what=page, needed="another role", user=request.user.username, role=request.acting.role
            )
        )


def _paged(rows: Sequence[_T], page: int, size: int) -> list[_T]:
    return list(rows[(page - 1) * size : page * size])


def me(request: HttpRequest) -> s.Me:
    """Who this token is, and what it may submit."""
    found, acting, token = desk(), request.acting, request.token
    return s.Me(
        user=request.user.username,
        role=acting.role,
        site=acting.site,
        writes=token.writes,
        expires=str(token.expires),
        trial=found.ledger.header.trial,
        virtual=found.virtual,
        today=str(found.today()),
        zone=found.protocol(acting.site).document.zone,
        events=found.ledger.last(),
        may_submit=[name for name, command in s.COMMANDS.items() if may_do(acting.role, command)],
    )


def protocol(request: HttpRequest) -> s.ProtocolTold:
    """The protocol in force, whole."""
    _opens(request, "protocol")
    found = desk().protocol(request.acting.site)
    document = found.document
    return s.ProtocolTold(
        trial=document.trial,
        version=document.version,
        digest=found.digest,
        title=document.title,
        sites={name: one.en for name, one in document.sites.items()},
        document=document.model_dump(mode="json", by_alias=True),
    )


def participants(
    request: HttpRequest,
    q: Annotated[str, Query(max_length=100, description="A part of a pseudonym")] = "",
    page: Page = 1,
    size: Size = 50,
) -> s.Women:
    """Participants of the sites that may be seen, in the order of screening."""
    _opens(request, "screening")
    rows = [one for one in summaries(desk(), request.acting.site) if q.lower() in one.identity.lower()]
    shown = [_woman(one) for one in _paged(rows, page, size)]
    return s.Women(items=shown, total=len(rows), page=page, size=size)


def participant(request: HttpRequest, identity: str) -> s.Woman:
    """Where one participant stands."""
    _opens(request, "participant")
    found = hers(request, identity)
    line = next((one for one in summaries(desk(), found.site) if one.identity == found.identity), None)
    if line is None:
        raise Http404
    return _woman(line)


def _woman(one: Summary) -> s.Woman:
    return s.Woman(
        participant=one.identity,
        site=one.site,
        screened=one.screened,
        status=str(one.status),
        number=one.number or None,
        arm=one.arm,
        verdict=one.last_verdict,
        ended=one.ended,
        open_visits=len(one.visits),
        open_queries=len(one.queries),
    )


def eligibility(
    request: HttpRequest,
    identity: str,
    on: Annotated[str, Query(max_length=30, description="A day; today where none is given")] = "",
) -> s.Eligible:
    """Her eligibility on a day: criterion by criterion, and what to ask next."""
    _opens(request, "participant")
    found = hers(request, identity)
    day = on or str(desk().today())
    try:
        partial_date(day)
    except ValueError as wrong:
        raise Refused(finding("api_field_wrong", name="on", why="it is no day such as 2026-03-09")) from wrong
    shown = panel(desk().protocol(found.site), found, day, desk().today())
    return s.Eligible(
        on=day,
        verdict=shown.verdict,
        criteria=[
            s.Criterion(name=one.name, kind=one.kind, words=one.words, answer=one.answer, why=list(one.why))
            for one in shown.lines
        ],
        ask_next=[
            s.Ask(item=item, label=told, cost=cost, criteria=criteria) for item, told, cost, criteria in shown.asks
        ],
    )


def visits(request: HttpRequest, identity: str) -> list[s.Visit]:
    """Her visits with their windows, as they stand today."""
    _opens(request, "participant")
    found = hers(request, identity)
    working = desk().protocol(found.site)
    return [
        s.Visit(
            encounter=one.encounter,
            label=visit_label(working, one.encounter),
            record=one.record,
            earliest=str(one.earliest),
            latest=str(one.latest),
            standing=one.standing,
            why=str(one.why),
        )
        for one in desk().visits(found)
    ]


def observations(
    request: HttpRequest,
    identity: str,
    item: Annotated[str, Query(max_length=100, description="Of one item alone")] = "",
    page: Page = 1,
    size: Size = 100,
) -> s.Observations:
    """What was observed of her, as it stands after corrections, in the order of recording."""
    _opens(request, "participant")
    found = hers(request, identity)
    told = [one for one in effective(desk().events_of(found.identity)) if one.type == e.OBSERVED]
    rows = [one for one in told if item in ("", str(one.payload.get("item")))]
    shown = [_observed(found.site, one) for one in _paged(rows, page, size)]
    return s.Observations(items=shown, total=len(rows), page=page, size=size)


def _observed(site: str, event: Event) -> s.Observed:
    payload: Any = event.payload
    value = payload.get("value")
    return s.Observed(
        event=event.seq,
        item=payload["item"],
        label=label(desk().protocol(site), payload["item"]),
        person=payload.get("person") or "",
        entered=value.get("entered", "") if isinstance(value, dict) else "",
        not_done=str(payload.get("not_done") or ""),
        value=value if isinstance(value, dict) else None,
        attributes=payload.get("attributes") or {},
        on=event.on,
        at=event.at,
        user=event.user,
        role=event.role,
    )


def audit(request: HttpRequest, identity: str, page: Page = 1, size: Size = 100) -> s.Entries:
    """Every event of hers with its envelope, newest first."""
    _opens(request, "audit")
    events = desk().events_of(hers(request, identity).identity)[::-1]
    return s.Entries(
        items=[s.entry(one) for one in _paged(events, page, size)], total=len(events), page=page, size=size
    )


def worklist(request: HttpRequest) -> list[s.Work]:
    """What waits today: visits, queries and clocks of reporting."""
    _opens(request, "screening")
    found = []
    for one in summaries(desk(), request.acting.site):
        working = desk().protocol(one.site)
        for visit in one.visits:
            found.append(
                s.Work(
                    kind="visit", participant=one.identity, what=visit.encounter, record=visit.record,
                    label=visit_label(working, visit.encounter), standing=visit.standing,
                    earliest=str(visit.earliest), latest=str(visit.latest),
                )
            )  # fmt: skip
        for number, item, says in one.queries:
            found.append(
                s.Work(kind="query", participant=one.identity, what=number, label=says, record=item, standing="open",
                       earliest="", latest="")
            )  # fmt: skip
        for clock in one.clocks:
            due = clock.due
            found.append(
                s.Work(kind="clock", participant=one.identity, what=due.rule, label=due.what, record=clock.record,
                       standing=due.standing, earliest="", latest=str(due.due_local or ""))
            )  # fmt: skip
    return found


def queries(request: HttpRequest) -> list[s.Query]:
    """Open queries."""
    _opens(request, "screening")
    return [
        s.Query(participant=one.identity, query=number, item=item, says=says)
        for one in summaries(desk(), request.acting.site)
        for number, item, says in one.queries
    ]


def alerts(request: HttpRequest) -> list[s.Alert]:
    """What paused the trial or asked for a review."""
    _opens(request, "safety")
    state = desk().trial()
    return [
        s.Alert(alert=one.identity, on=one.on, action=one.action, says=one.says, participant=one.participant,
                pauses=one.pauses, decision=one.decision)
        for one in state.alerts.values()
        if not one.participant or within(request, state.sites.get(one.participant))
    ]  # fmt: skip


def lots(request: HttpRequest) -> list[s.Lot]:
    """Lots of the product."""
    _opens(request, "product")
    return [
        s.Lot(lot=one.identity, product=one.product, state=one.state, parent=one.parent, units=len(one.used))
        for one in desk().trial().custody.lots.values()
    ]


def units(request: HttpRequest) -> list[s.Unit]:
    """Units of the participants that may be seen."""
    _opens(request, "product")
    state = desk().trial()
    return [
        s.Unit(unit=one.identity, participant=one.participant, product=one.product, state=one.state, lot=one.lot,
               planned=one.planned, viable=one.viable, expires=one.expires, ratio=one.ratio)
        for one in state.custody.units.values()
        if within(request, state.sites.get(one.participant))
    ]  # fmt: skip


def exports(request: HttpRequest) -> list[s.Offer]:
    """What may be had as a file."""
    _opens(request, "reports")
    return [
        s.Offer(name=name, title=str(one.title), file=one.file, whole_trial=one.whole)
        for name, one in offered(desk(), request.acting)
    ]


def export(request: HttpRequest, name: str) -> Any:
    """A file as things stand on the day; 202 while it is being made."""
    _opens(request, "export")
    if name not in OFFERED or not may_have(desk(), request.acting, name):
        raise Http404
    job, one = made(desk(), request.acting, name), OFFERED[name]
    files = job.files()
    if files is None:
        return 202, s.Making(step=job.step, seconds=job.seconds())
    response: HttpResponse = handed_out(request, one.title, one.file, files[one.file], request.token.name)
    return response
