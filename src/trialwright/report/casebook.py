"""The casebook of one participant: everything recorded of her, who entered it, and what was corrected, on paper."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from trialwright.protocol.adverse_event import ADVERSE_EVENT
from trialwright.protocol.protocol import label
from trialwright.render.page import Section, page
from trialwright.render.table import Column, pairs, table
from trialwright.report.casebook_entries import (
    COLUMNS,
    Case,
    Entry,
    by,
    entries,
    now,
    observed,
    when,
)
from trialwright.report.casebook_tables import (
    changed,
    is_other,
    others,
    pregnancy,
    queries,
    records,
    sent,
    signed_table,
    treatment,
)
from trialwright.report.marks import watermark
from trialwright.report.numbers import words
from trialwright.trial import events as e
from trialwright.trial.schedule import encounter_of
from trialwright.trial.signatures import signatures
from trialwright.views.visits import visit_name

__all__ = ["Case", "casebook", "top_of", "foot_of"]

#: On paper each chapter begins a page, but for the short ones; a day stays on one line.
_STYLE = Markup(
    "<style>.held { font: 600 .9rem/1.4 var(--sans); } caption { font-size: .9rem; } table { width: 100%; }"
    " del { color: #9b1c1c; } .day { white-space: nowrap; } .gone { color: #595959; text-decoration: line-through; }"
    " @media print { #signatures, #corrections { break-before: auto !important; }"
    " figure { margin: 0 0 4mm; } tr { break-inside: avoid; } h2, h3, caption { break-after: avoid; } }</style>\n"
)


def casebook(case: Case) -> str:
    """The casebook as one HTML file."""
    told = entries(case.events)
    of_visits, between = _by_visit(case, told)
    chapters = [
        ("standing", "Where she stands", _standing(case)),
        ("eligibility", "Eligibility", _eligibility(case)),
        ("visits", "Visits", of_visits + between),
        ("product", "Product and treatment", treatment(case, told)),
        ("events", "Adverse events", records(case, told, lambda kind: kind == ADVERSE_EVENT) + sent(case)),
        ("pregnancy", "Pregnancies and children", records(case, told, lambda kind: kind in pregnancy(case))),
        ("records", "Other records", records(case, told, lambda kind: is_other(case, kind))),
        ("queries", "Queries", queries(case, told)),
        ("signatures", "Signatures", signed_table(case, signatures(case.events))),
        ("corrections", "Corrections and entries taken back", changed(case, told)),
        ("other", "Everything else", others(case, told)),
    ]
    sections = [Section(name, title, body) for name, title, body in chapters if body]
    first = sections[0]
    sections[0] = Section(first.id, first.title, str(_STYLE) + first.body_html)
    title = f"{case.woman.identity}: casebook, {case.header.trial}"
    return page(title, sections, top_of(case), foot_of(case))


def top_of(case: Case) -> str:
    """What stands at the top of every page: whose casebook it is, and that it is virtual where it is."""
    mark = watermark(case.header)
    more = f" · {mark}. No woman was treated or observed." if mark else ""
    return f"{case.woman.identity} · {case.header.trial} · casebook{more}"


def foot_of(case: Case) -> str:
    """What stands at the foot of every page: site, protocol, day and the state of the ledger."""
    point = case.checkpoint
    return (
        f"{case.woman.site} · protocol {case.protocol.digest[:12]} · trialwright {case.header.software} · "
        f"as on {case.day} · checkpoint {point.seq}:{point.digest[:16]}"
    )


# ---------------------------------------------------------------- where she stands


def _standing(case: Case) -> str:
    woman = case.woman
    site = case.protocol.document.sites.get(woman.site)
    last = woman.determinations[-1] if woman.determinations else None
    arm = woman.allocation
    rows = [
        ("Pseudonym", woman.identity),
        ("Trial", f"{case.header.trial}, {case.protocol.document.title}"),
        ("Site", f"{woman.site}, {site.en}" if site else woman.site),
        ("Screened", woman.screened),
        ("Consent", woman.consented or "not recorded"),
        ("Eligibility", f"{last.verdict}, confirmed {last.on}" if last else "not determined"),
        ("Enrolled", f"{woman.enrolled}, number {woman.number}" if woman.enrolled else "no"),
        ("Allocation", f"{label(case.protocol, arm.arm) if arm.arm else 'sealed'}, {arm.on}" if arm else "none"),
        ("Why this arm", f"{arm.reason}, decided by {arm.decided_by}" if arm and arm.reason else ""),
        ("Screening ended", f"{woman.screening_ended}: {woman.screening_end_reason}" if woman.screening_ended else ""),
        ("Withdrawn", f"{woman.withdrawn}: {woman.withdrawal_reason}" if woman.withdrawn else ""),
        ("Lists complete", "; ".join(f"{words(name)} {day}" for name, day in woman.closed.items())),
        ("Free text", f"{woman.notes} notes, kept encrypted and not printed" if woman.notes else ""),
        ("Protocol", f"version {case.protocol.document.version}, digest {case.protocol.digest}"),
        ("Ledger", f"{case.header.kind}, checkpoint {case.checkpoint.seq}:{case.checkpoint.digest}"),
        ("Entries", f"{len(case.events)} of her own, by {len({one.user for one in case.events})} people"),
    ]
    return pairs([row for row in rows if row[1]], "As it is known on the day")


def _eligibility(case: Case) -> str:
    if not case.woman.determinations:
        return ""
    columns = [Column("name", "Criterion"), Column("words", "The record says"), Column("answer", "Holds")]
    words = {one.name: " · ".join(one.quotes) or "(words lost from the record)" for one in case.protocol.criteria}
    made = ""
    for one in case.woman.determinations:
        names = [*(name for name in words if name in one.answers), *(one.answers.keys() - words.keys())]
        rows = [{"name": name, "words": words.get(name, ""), "answer": one.answers[name]} for name in names]
        made += table(columns, rows, f"{one.verdict}, as determined on {one.on} (event {one.event})")
    return made


# ---------------------------------------------------------------- visits


def _by_visit(case: Case, told: Sequence[Entry]) -> tuple[str, str]:
    """What was observed, under the visit that asks for it on that day; the rest day by day below."""
    schedule, left = case.protocol.document.schedule, [one for one in told if one.event.type == e.OBSERVED]
    made = ""
    for visit in case.visits:
        held = case.woman.visits.get((visit.encounter, visit.record))
        if held is None:
            continue
        asked = {
            item
            for name in schedule.encounters[encounter_of(visit.encounter)].does
            for item in (*schedule.activities[name].asks, *schedule.activities[name].partner)
        }
        mine = [one for one in left if str(one.event.payload.get("item")) in asked and _day(one) == held.on[:10]]
        left = [one for one in left if one not in mine]
        how = f"held {held.on}" if held.held else f"missed: {held.reason}"
        name = f"{visit_name(case.protocol, visit.encounter)}{f' ({visit.record})' if visit.record else ''}"
        caption = f"{name}: {how}; window {visit.earliest} to {visit.latest} (event {held.event})"
        rows = [_row(case, one) for one in mine]
        made += table(COLUMNS, rows, caption) if rows else f'<p class="held">{escape(caption)}</p>\n'
    rest = table(COLUMNS, [_row(case, one) for one in left], "Recorded on other days") if left else ""
    return made, rest


def _day(one: Entry) -> str:
    return (one.holds or one.event).on[:10]


def _row(case: Case, one: Entry) -> dict[str, object]:
    payload = one.event.payload
    item, person = str(payload.get("item")), str(payload.get("person") or "")
    what = f"{label(case.protocol, item)}, {person}" if person else label(case.protocol, item)
    after = one.holds.payload if one.holds else None
    return {
        "what": what,
        "value": now(observed(payload), observed(after) if after is not None else None),
        "on": when((one.holds or one.event).on),
        "by": by(case, one.event),
        "seq": one.event.seq,
    }
