"""The chapters of the casebook that follow the visits: records, treatment, queries, signatures, corrections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from markupsafe import Markup

from trialwright.ledger.envelope import CORRECTED, VOIDED, Json
from trialwright.protocol.adverse_event import ADVERSE_EVENT
from trialwright.protocol.protocol import label
from trialwright.render.table import Column, table
from trialwright.report.casebook_entries import (
    COLUMNS,
    Case,
    Entry,
    by,
    entered,
    local,
    mapping,
    now,
    numbers,
    observed,
    when,
)
from trialwright.report.numbers import words
from trialwright.trial import events as e
from trialwright.trial.signatures import Signature
from trialwright.views.visits import visit_name


def records(case: Case, entries: Sequence[Entry], wanted: Callable[[str], bool]) -> str:
    """The records of the kinds that are wanted, one table each, every field with whoever entered it."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for one in entries:
        kind = str(one.event.payload.get("kind") or "")
        if one.event.type in (e.RECORD_ADDED, e.RECORD_COMPLETED, e.PERFORMED) and wanted(kind):
            groups.setdefault((kind, str(one.event.payload.get("record"))), []).append(one)
    made = ""
    for (kind, record), group in groups.items():
        first = group[0]
        parent = str(first.event.payload.get("parent") or "")
        caption = f"{label(case.protocol, kind)} {record}, {(first.holds or first.event).on.replace('T', ' ')}"
        made += table(
            COLUMNS, [row for one in group for row in _fields(case, kind, one)],
            caption + (f", of {parent}" if parent else ""),
        )  # fmt: skip
    return made


def _fields(case: Case, kind: str, one: Entry) -> Iterator[dict[str, object]]:
    before = mapping(one.event.payload.get("fields"))
    after = mapping(one.holds.payload.get("fields")) if one.holds else None
    names = list(dict.fromkeys((*before, *(after or ()))))
    shared: dict[str, object] = {
        "on": when((one.holds or one.event).on), "by": by(case, one.event), "seq": one.event.seq,
    }  # fmt: skip
    for name in names:
        later = None if after is None else entered(after.get(name)) or "nothing"
        told = now(entered(before.get(name)) or "nothing", later)
        yield {"what": _field(case, kind, name), "value": told, **shared}
    if not names:
        yield {"what": "Recorded", "value": "no field yet" if one.holds else Markup("taken back"), **shared}


def _field(case: Case, kind: str, name: str) -> str:
    record = case.protocol.document.records.get(kind)
    return record.fields[name].label.en if record and name in record.fields else label(case.protocol, name)


def pregnancy(case: Case) -> tuple[str, ...]:
    """The kinds of record that hold a transfer and its children."""
    part = case.protocol.document.pregnancy
    return (part.record, part.children) if part else ()


def _given(case: Case) -> set[str]:
    return {one.record for one in case.protocol.document.interventions.values()}


def is_other(case: Case, kind: str) -> bool:
    """Whether a kind of record has no chapter of its own."""
    return bool(kind) and kind != ADVERSE_EVENT and kind not in {*pregnancy(case), *_given(case)}


def treatment(case: Case, entries: Sequence[Entry]) -> str:
    """Her units, her doses, what was carried out, and every tablet."""
    pregnant = pregnancy(case)
    made = ""
    units = [
        {
            "unit": one.identity, "lot": one.lot, "state": one.state,
            "planned": str(one.planned or ""), "infused": f"{one.infused} mL" if one.infused else "",
        }
        for one in case.units
    ]  # fmt: skip
    if units:
        columns = [Column("unit", "Unit"), Column("lot", "Lot"), Column("state", "State"),
                   Column("planned", "Cells planned", "right"), Column("infused", "Infused", "right")]  # fmt: skip
        made += table(columns, units, "Units prepared for her")
    who = {one.event.seq: by(case, one.event) for one in entries}
    doses = [
        {
            "what": f"{label(case.protocol, one.intervention)} ({one.record})", "on": when(one.on),
            "value": f"planned {one.planned}, prepared {one.prepared}, ratio {one.ratio}; {one.unit} of lot {one.lot}",
            "by": who.get(one.event, ""), "seq": one.event,
        }
        for one in case.woman.doses
    ]  # fmt: skip
    made += table(COLUMNS, doses, "Doses as they were determined") if doses else ""
    made += records(case, entries, lambda kind: kind in _given(case) and kind not in pregnant)
    drugs = (e.DRUG_DISPENSED, e.DRUG_RETURNED, e.REGIMEN_CHANGED, *_INFUSED)
    listed = [_plain_row(case, one) for one in entries if one.event.type in drugs]
    return made + (table(COLUMNS, listed, "Infusions, tablets and changes of dose") if listed else "")


_INFUSED = (e.INFUSION_INTERRUPTED, e.INFUSION_RESUMED, e.INFUSION_ENDED)
#: What has a chapter of its own, or is a part of another entry.
_SHOWN = {
    e.OBSERVED, e.RECORD_ADDED, e.RECORD_COMPLETED, e.PERFORMED, e.DOSE_DETERMINED, e.DRUG_DISPENSED, e.DRUG_RETURNED,
    e.REGIMEN_CHANGED, *_INFUSED, e.REPORT_SENT, e.QUERY_OPENED, e.QUERY_CLOSED, e.SIGNED, e.VISIT_HELD,
    e.NOTED, CORRECTED, VOIDED,
}  # fmt: skip


def sent(case: Case) -> str:
    """The reports that were sent about her events."""
    columns = [Column("what", "Report of"), Column("rule", "Under the rule"), Column("to", "To"), Column("on", "Sent"),
               Column("by", "By"), Column("seq", "Event", "right")]  # fmt: skip
    rows = [
        {"what": one.record, "rule": words(one.rule), "to": one.to, "on": when(one.on), "by": one.by,
         "seq": one.event}
        for one in case.woman.reports
    ]  # fmt: skip
    return table(columns, rows, "Reports that were sent") if rows else ""


def queries(case: Case, entries: Sequence[Entry]) -> str:
    """Every query with its answer."""
    columns = [Column("query", "Query"), Column("about", "About"), Column("says", "Says"), Column("answer", "Answer"),
               Column("by", "Answered by"), Column("seq", "Events", "right")]  # fmt: skip
    closed = {str(one.event.payload.get("query")): one.event for one in entries if one.event.type == e.QUERY_CLOSED}
    rows = []
    for one in entries:
        if one.event.type != e.QUERY_OPENED:
            continue
        name = str(one.event.payload.get("query"))
        reply = closed.get(name)
        rows.append({
            "query": f"{name}, {one.event.on}", "about": words(str(one.event.payload.get("item"))),
            "says": one.event.payload.get("says"), "answer": reply.payload.get("answer") if reply else "open",
            "by": by(case, reply) if reply else "",
            "seq": numbers([one.event.seq, *([reply.seq] if reply else [])]),
        })  # fmt: skip
    return table(columns, rows, "Queries in the order in which they were opened") if rows else ""


def signed_table(case: Case, signed: Sequence[Signature]) -> str:
    """The signatures as they stand now."""
    columns = [Column("name", "Signed by"), Column("meaning", "Meaning"), Column("at", "When"),
               Column("of", "Signs events", "right"), Column("stands", "Stands"),
               Column("seq", "Event", "right")]  # fmt: skip
    rows = []
    for one in signed:
        void = one.voided_by or not one.intact
        since = f"; recorded before it and changed since: {numbers(one.changed_since)}" if one.changed_since else ""
        told = f"void, by event {numbers(one.voided_by)}" if void else f"yes{since}"
        rows.append({
            "name": f"{one.name} ({one.user}), {one.role}", "meaning": one.meaning, "of": numbers(one.signed),
            "at": f"{local(case, one.at)}; known by {one.method}", "stands": told,
            "seq": one.event,
        })  # fmt: skip
    return table(columns, rows, "Signatures on what was recorded of her") if rows else ""


def changed(case: Case, entries: Sequence[Entry]) -> str:
    """Every correction and every entry taken back: what it said, what it became, and why."""
    columns = [Column("of", "Event", "right"), Column("what", "What"), Column("how", "Became"), Column("why", "Reason"),
               Column("by", "By"), Column("seq", "In event", "right")]  # fmt: skip
    rows = []
    for one in entries:
        for change in one.changes:
            later = mapping(change.payload.get("payload"))
            rows.append({
                "of": one.event.seq, "what": _said(case, one.event.type, one.event.payload),
                "how": "taken back" if change.type == VOIDED else _said(case, one.event.type, later),
                "why": change.reason, "by": by(case, change), "seq": change.seq,
            })  # fmt: skip
    return table(columns, rows, "Nothing is lost: what was said before stands first") if rows else ""


def _said(case: Case, type: str, payload: Mapping[str, Json]) -> str:
    if type == e.OBSERVED:
        return f"{label(case.protocol, str(payload.get('item')))}: {observed(payload)}"
    fields = mapping(payload.get("fields"))
    if fields:
        kind = str(payload.get("kind"))
        told = "; ".join(f"{_field(case, kind, name)} {entered(value)}" for name, value in fields.items())
        return f"{label(case.protocol, kind)} {payload.get('record')}: {told}"
    return _plainly(case, payload)


def others(case: Case, entries: Sequence[Entry]) -> str:
    """What has no chapter of its own."""
    rows = [_plain_row(case, one) for one in entries if one.event.type not in _SHOWN]
    return table(COLUMNS, rows, "Screening, consent, decisions and what else was entered") if rows else ""


def _plain_row(case: Case, one: Entry) -> dict[str, object]:
    why = f" ({one.event.reason})" if one.event.reason else ""
    told = _plainly(case, one.event.payload) + why
    later = None if one.holds is None else _plainly(case, one.holds.payload) + why
    what = words(one.event.type.partition("/")[0].replace(".", " "))
    return {
        "what": what[:1].upper() + what[1:], "value": now(told, later), "on": when(one.event.on),
        "by": by(case, one.event), "seq": one.event.seq,
    }  # fmt: skip


def _plainly(case: Case, payload: Mapping[str, Json]) -> str:
    protocol = case.protocol
    return "; ".join(
        f"{words(name)} {visit_name(protocol, str(told)) if name == 'encounter' else label(protocol, str(told))}"
        for name, told in payload.items()
        if not isinstance(told, (dict, list)) and told not in ("", None) and name not in ("basis", "text")
    )
