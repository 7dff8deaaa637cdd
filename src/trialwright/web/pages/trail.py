"""The audit trail of the trial: searched in the database, shown a page at a time, and exported."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import override

from trialwright.ledger.chain import checkpoint
from trialwright.ledger.envelope import Event
from trialwright.ledger.reading import Scope, Search
from trialwright.protocol.protocol import Protocol
from trialwright.trial import events as e
from trialwright.trial.delegations import ROLES
from trialwright.web.desk import stamp
from trialwright.web.export import as_csv, as_json
from trialwright.web.guard import desk, within
from trialwright.web.trail import WORDS, Entry, beside, entries, in_words

_PER_PAGE = 50
_CHUNK = 500
#: What has no site and names no participant: everybody who may open the trail sees it.
_OF_EVERYBODY = frozenset(
    {
        e.OPENED,
        e.PROTOCOL_REGISTERED,
        e.PROTOCOL_ACTIVATED,
        e.REHEARSAL_REGISTERED,
        e.QUESTION_ANSWERED,
        e.BOUNDARY_COMPUTED,
        e.DELEGATED,
        e.DELEGATION_ENDED,
        e.MATERIAL_REGISTERED,
        e.HOLD_VALIDATED,
        e.LOT_REGISTERED,
        e.LOT_TESTED,
        e.LOT_RELEASED,
        e.LOT_REJECTED,
        e.DATA_LOCKED,
        e.DATA_UNLOCKED,
    }
)
_NAMES = ("q", "user", "role", "type", "site", "participant", "from", "to")


def trail(request: HttpRequest) -> HttpResponse:
    """The newest events that a search finds, or those before a number."""
    told = _told(request)
    search, faults = _search(request, told)
    before = _number(request.GET.get("before")) or desk().ledger.last() + 1
    found = desk().ledger.search(search, _PER_PAGE + 1, before) if not faults else []
    more, found = len(found) > _PER_PAGE, found[:_PER_PAGE]
    asked = urlencode({name: value for name, value in told.items() if value})
    context = {
        "told": told,
        "faults": faults,
        "entries": _shown(found),
        "older": f"{asked}&before={found[-1].seq}" if more else "",
        "newest": f"?{asked}" if request.GET.get("before") else "",
        "asked": asked,
        "roles": ROLES,
        "types": sorted((str(words), type) for type, words in WORDS.items()),
        "sites": [one for one in desk().protocol().document.sites if within(request, one)],
        "last": desk().ledger.last(),
    }
    return render(request, "web/trail_rows.html" if request.htmx else "web/trail.html", context)


def trail_export(request: HttpRequest) -> HttpResponse:
    """Everything that a search finds, streamed as CSV or JSON, with the ledger's head and the search at its top."""
    told = _told(request)
    search, faults = _search(request, told)
    if faults:
        return render(request, "web/trail.html", {"told": told, "faults": faults}, status=400)
    point, header = checkpoint(desk().ledger), desk().ledger.header
    head = {
        "trial": header.trial,
        "kind": header.kind,
        "events": point.seq,
        "checkpoint": point.digest,
        "exported": stamp(desk().now()),
        "exported_by": f"{request.user.username}, {request.acting.role}",
        "seen_as": request.acting.site or "every site",
        "filter": {name: value for name, value in told.items() if value},
    }
    json = request.GET.get("as") == "json"
    rows = _rows(search, point.seq)
    answer = StreamingHttpResponse(
        as_json(head, rows) if json else as_csv(head, rows),
        content_type="application/json" if json else "text/csv; charset=utf-8",
    )
    name = f"audit-trail-{header.trial}-{point.seq}.{'json' if json else 'csv'}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _told(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "").replace("\0", "").strip() for name in _NAMES}


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 16 else 0


def _search(request: HttpRequest, told: dict[str, str]) -> tuple[Search, list[str]]:
    """What is looked for, within what may be seen; and what of it cannot be read."""
    faults: list[str] = []
    since, until = _moment(told["from"], 0, faults), _moment(told["to"], 1, faults)
    text = told["q"]
    types = frozenset({told["type"]} if told["type"] else ())
    by_words = frozenset(type for type, words in WORDS.items() if text and text.lower() in str(words).lower())
    stream = e.participant_stream(told["participant"]) if told["participant"] else ""
    search = Search(
        text, by_words, _names_called(desk().protocol(), text), types, told["user"], told["role"], told["site"], stream,
        since, until, _scope(request),
    )  # fmt: skip
    return search, faults


def _scope(request: HttpRequest) -> Scope | None:
    """Of another site nothing is said: what belongs to hers, and what concerns the trial without naming a woman."""
    site, trial = request.acting.site, desk().trial()
    if not site:
        return None
    units = trial.custody.units.values()
    streams = {e.stream_of("unit", one.identity) for one in units if trial.sites.get(one.participant) == site}
    return Scope(site, frozenset(streams), _OF_EVERYBODY)


def _names_called(protocol: Protocol, text: str) -> frozenset[str]:
    """The items, records and visits that the protocol calls something like what is looked for."""
    if not text:
        return frozenset()
    document, wanted = protocol.document, text.lower()
    tables = (document.items, document.records, document.interventions, document.schedule.encounters)
    return frozenset(
        name for table in tables for name, one in table.items() if wanted in f"{one.label.en}\n{one.label.zh}".lower()
    )


def _moment(text: str, days: int, faults: list[str]) -> str:
    """The begin of a day at the centre, or of the next one, in UTC."""
    if not text:
        return ""
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
    except (ValueError, OverflowError):
        faults.append(_("%(day)s is no day. Write it as 2026-03-09.") % {"day": text})
        return ""
    zone = ZoneInfo(desk().protocol().document.zone)
    return stamp(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC))


def _shown(found: list[Event]) -> list[Entry]:
    """The events of a page as entries; only their own streams are read to show them, never the ledger."""
    streams = {one.stream for one in found}
    near: list[Event] = []
    for stream in sorted(streams):
        types = [e.SIGNED] if stream == e.TRIAL else None
        near += desk().ledger.events(stream=stream, types=types)
    known = {one.seq for one in near}
    around = beside(sorted([*near, *(one for one in found if one.seq not in known)], key=lambda one: one.seq))
    return [one for event in found for one in entries(desk().protocol(event.site), [event], around, False)]


def _rows(search: Search, upto: int) -> Iterator[dict[str, Any]]:
    """The found events up to a number, oldest first, a chunk of them in memory at a time."""
    after = 0
    while True:
        found = [one for one in desk().ledger.search(search, _CHUNK, after=after) if one.seq <= upto]
        if not found:
            return
        after = found[-1].seq
        with override("en"):  # an export reads the same in whatever language it was asked for
            told = [_row(entry) for entry in _shown(found)]
        yield from told


def _row(entry: Entry) -> dict[str, Any]:
    event = entry.event
    return {
        "seq": event.seq,
        "about": event.stream,
        "site": event.site,
        "what": entry.what,
        "says": in_words(entry),
        "reason": event.reason,
        "happened": event.on,
        "zone": event.zone,
        "recorded": event.at,
        "user": event.user,
        "role": event.role,
        "changes": entry.of or "",
        "type": event.type,
        "payload": event.payload,
        "protocol": event.protocol,
        "software": event.software,
        "hash": event.hash,
    }
