"""Decisions about data: observations, records, lists, corrections, and the queries that odd values raise."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from trialwright.core.finding import Finding, Refused, says
from trialwright.core.identifier import identifier
from trialwright.core.partial_date import partial_date
from trialwright.core.truth import Truth
from trialwright.language.evaluate import answer, evaluate
from trialwright.language.facts import Facts, Observation, RecordEntry
from trialwright.language.vocabulary import Item
from trialwright.ledger.envelope import NewEvent
from trialwright.protocol.adverse_event import ADVERSE_EVENT, ROLES, SPONSOR
from trialwright.protocol.entry import Entered, decode, encode, enter
from trialwright.protocol.grading import grade_refused
from trialwright.protocol.limits import born_after, implausible, impossible
from trialwright.protocol.naming import nearest
from trialwright.protocol.protocol import NO_LIMITS, Limits, Protocol
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.custody import FROM_THE_UNIT
from trialwright.trial.gate import Gate, refuse
from trialwright.trial.grades import entered_grade, graded_entry, grading_of
from trialwright.trial.state import Participant


def observe(gate: Gate, command: c.Observe) -> list[NewEvent]:
    """An answer to an item, with the queries that it raises."""
    participant = gate.recordable(command.participant, command.item, command.on)
    item = _item(gate.protocol, command.item, command.person)
    payload: dict[str, Any] = {"item": command.item}
    if command.person:
        payload["person"] = command.person
    if command.attributes:
        payload["attributes"] = {
            name: _encoded(_attribute(item, name), text, NO_LIMITS) for name, text in command.attributes.items()
        }
    if command.encounter or command.record:
        gate.has_visit(participant, command.encounter, command.record)
        payload["visit"] = {"encounter": command.encounter, "record": command.record}
    if command.not_done:
        payload["not_done"] = command.not_done
        return [gate.event(e.OBSERVED, command.on, payload)]
    _signed_by_the_right_role(gate, command.item, item)
    entered = _entered(item, command.value)
    limits = gate.protocol.limits.get(command.item, NO_LIMITS)
    _possible(item.name, entered, item, limits)
    _born(gate.protocol, item, entered, command.on)
    payload["value"] = encode(entered.value, entered.text)
    if command.normal is not None:
        payload["normal"] = [_encoded(item, end, NO_LIMITS) for end in command.normal]
    queries = list(_implausible(gate, participant, item.name, entered, item, limits, command.on))
    if not command.person:
        queries += _edit_checks(gate, participant, item, entered, command.on, len(queries))
    return [gate.event(e.OBSERVED, command.on, payload), *queries]


def add_record(gate: Gate, command: c.AddRecord) -> list[NewEvent]:
    """A record of a kind, dated; a record of history may be dated before the consent."""
    participant = gate.present(command.participant)
    if not participant.consented:
        refuse("consent_missing", participant=command.participant)
    gate.not_left(participant, command.on, command.kind)
    _not_performed(gate, command.kind)
    payload, queries = record_payload(gate, participant, command.kind, command.record, command.fields, command.on)
    payload["parent"] = _parent(gate, participant, command.kind, command.parent)
    return [gate.event(e.RECORD_ADDED, command.on, payload), *queries]


def record_payload(
    gate: Gate, participant: Participant, kind: str, record: str, fields: Mapping[str, str], on: str
) -> tuple[dict[str, Any], list[NewEvent]]:
    """The payload of a new record, and the queries that its fields raise."""
    kinds = gate.protocol.vocabulary.records
    if kind not in kinds:
        refuse("fact_unknown", name=kind, nearest=nearest(kind, kinds))
    try:
        identifier(record)
    except ValueError:
        refuse("identifier_wrong", value=record)
    if record in participant.records.get(kind, {}):
        refuse("record_exists", participant=participant.identity, kind=kind, record=record)
    _not_closed(participant, kind, on)
    encoded, queries = _fields(gate, participant, kind, fields, on)
    queries += _record_checks(gate, participant, kind, record, encoded, on, len(queries))
    return {"kind": kind, "record": record, "fields": encoded}, queries


def complete_record(gate: Gate, command: c.CompleteRecord) -> list[NewEvent]:
    """Fields of a record that were not known when it was added."""
    participant = gate.recordable(command.participant, f"{command.kind} {command.record}", command.on, command.kind)
    if command.record not in participant.records.get(command.kind, {}):
        refuse("record_unknown", participant=command.participant, kind=command.kind, record=command.record)
    encoded, queries = _fields(gate, participant, command.kind, command.fields, command.on)
    queries += _record_checks(gate, participant, command.kind, command.record, encoded, command.on, len(queries))
    payload: dict[str, Any] = {"kind": command.kind, "record": command.record, "fields": encoded}
    return [gate.event(e.RECORD_COMPLETED, command.on, payload), *queries]


def close_list(gate: Gate, command: c.CloseList) -> list[NewEvent]:
    """A list declared complete."""
    gate.recordable(command.participant, f"The closing of {command.list}", command.on)
    vocabulary = gate.protocol.vocabulary
    lists = {*vocabulary.records, *(item.absent_no for item in vocabulary.items.values() if item.absent_no)}
    if command.list not in lists:
        refuse("fact_unknown", name=command.list, nearest=nearest(command.list, lists))
    return [gate.event(e.LIST_CLOSED, command.on, {"list": command.list})]


def corrected_payload(gate: Gate, command: c.Correct) -> tuple[dict[str, Any], list[NewEvent]]:
    """The whole payload that replaces an earlier one, and the queries that the new values raise."""
    participant = gate.present(command.participant)
    for person, log in (("", participant.observed), *participant.relatives.items()):
        for name, events in log.items():
            for event in events:
                if event.seq == command.event:
                    item = _item(gate.protocol, name, person)
                    _signed_by_the_right_role(gate, name, item)
                    entered = _entered(item, command.values.get("value", ""))
                    limits = gate.protocol.limits.get(name, NO_LIMITS)
                    _possible(name, entered, item, limits)
                    _born(gate.protocol, item, entered, command.on)
                    payload: dict[str, Any] = {**event.payload, "value": encode(entered.value, entered.text)}
                    payload.pop("not_done", None)
                    queries = list(_implausible(gate, participant, name, entered, item, limits, command.on))
                    return payload, queries
    for kind, entries in participant.records.items():
        for events in entries.values():
            for event in events:
                if event.seq == command.event:
                    encoded, queries = _fields(gate, participant, kind, command.values, command.on)
                    told = event.payload.get("fields")
                    before = told if isinstance(told, dict) else {}
                    return {**event.payload, "fields": {**before, **encoded}}, queries
    refuse("event_unknown", participant=command.participant, event=command.event)


# ---------------------------------------------------------------- values


def _item(protocol: Protocol, name: str, person: str) -> Item:
    vocabulary = protocol.vocabulary
    known = vocabulary.relatives.get(person, frozenset()) if person else vocabulary.items
    if name not in known:
        refuse("fact_unknown", name=f"{person}.{name}" if person else name, nearest=nearest(name, known))
    return vocabulary.items[name]


def _attribute(item: Item, name: str) -> Item:
    if name not in item.attributes:
        refuse("attribute_unknown", item=item.name, name=name)
    return item.attributes[name]


def _entered(item: Item, text: str) -> Entered:
    entered = enter(item, text)
    if isinstance(entered, Finding):
        raise Refused(entered)
    return entered


def _encoded(item: Item, text: str, limits: Limits) -> dict[str, Any]:
    entered = _entered(item, text)
    _possible(item.name, entered, item, limits)
    return dict(encode(entered.value, entered.text))


def _fields(
    gate: Gate, participant: Participant, kind: str, fields: Mapping[str, str], on: str
) -> tuple[dict[str, Any], list[NewEvent]]:
    declared = gate.protocol.vocabulary.records[kind].fields
    encoded: dict[str, Any] = {}
    queries: list[NewEvent] = []
    given = any(one.record == kind and one.product for one in gate.protocol.document.interventions.values())
    for name, text in fields.items():
        if given and name in FROM_THE_UNIT:
            refuse("field_of_the_unit", kind=kind, name=name)
        if kind == ADVERSE_EVENT:
            by_the_right_side(gate, f"{kind}.{name}", ROLES.get(name, ""))
        if name not in declared:
            refuse("field_unknown", kind=kind, name=name, nearest=nearest(name, declared), fields=", ".join(declared))
        limits = gate.protocol.limits.get(f"{kind}.{name}", NO_LIMITS)
        entered = _entered(declared[name], text)
        _possible(f"{kind}.{name}", entered, declared[name], limits)
        encoded[name] = dict(encode(entered.value, entered.text))
        queries += _implausible(gate, participant, f"{kind}.{name}", entered, declared[name], limits, on, len(queries))
    return encoded, queries


def _possible(name: str, entered: Entered, item: Item, limits: Limits) -> None:
    if found := impossible(name, item, entered, limits):
        raise Refused(found)


def _born(protocol: Protocol, item: Item, entered: Entered, on: str) -> None:
    if found := born_after(protocol.vocabulary, item, entered.value, entered.text, partial_date(on)):
        raise Refused(found)


def _implausible(
    gate: Gate,
    participant: Participant,
    name: str,
    entered: Entered,
    item: Item,
    limits: Limits,
    on: str,
    already: int = 0,
) -> Iterator[NewEvent]:
    if odd := implausible(name, item, entered, limits):
        yield _query(gate, participant, already, name, says(odd).removeprefix(f"{name}: "), on)


def _query(gate: Gate, participant: Participant, already: int, item: str, says: str, on: str) -> NewEvent:
    number = participant.asked + already + 1
    return gate.event(e.QUERY_OPENED, on, {"query": f"Q{number}", "item": item, "says": says})


def _edit_checks(
    gate: Gate, participant: Participant, item: Item, entered: Entered, on: str, already: int
) -> list[NewEvent]:
    """A query for each edit check about this item that certainly fails with the new value."""
    queries: list[NewEvent] = []
    for name in gate.protocol.checks_of.get(item.name, ()):
        rule = gate.protocol.rules[f"edit_checks.{name}.rule"]
        facts = _with_observation(gate.facts(), item.name, Observation(entered.value, partial_date(on)))
        if answer(evaluate(rule, facts, partial_date(on))) is Truth.NO:
            says = gate.protocol.document.edit_checks[name].says
            queries.append(_query(gate, participant, already + len(queries), item.name, says, on))
    return queries


def _record_checks(
    gate: Gate, participant: Participant, kind: str, record: str, encoded: Mapping[str, Any], on: str, already: int
) -> list[NewEvent]:
    """A query for each edit check about records of this kind that certainly fails with the new fields."""
    checks = {name: one for name, one in gate.protocol.document.edit_checks.items() if one.of == kind}
    if not checks and kind != ADVERSE_EVENT:
        return []
    facts = gate.facts()
    entry = entry_after(gate, kind, record, encoded, on)
    queries = _grade_checks(gate, participant, entry, on, already) if kind == ADVERSE_EVENT else []
    for name, one in checks.items():
        found = answer(evaluate(gate.protocol.rules[f"edit_checks.{name}.rule"], facts, partial_date(on), entry))
        if found is Truth.NO:
            queries.append(_query(gate, participant, already + len(queries), f"{kind} {record}", one.says, on))
    return queries


def by_the_right_side(gate: Gate, what: str, needed: str) -> None:
    """Refuse a word that belongs to another role: the sponsor enters the sponsor's opinion, and nothing else."""
    if needed and gate.role != needed:
        refuse("role_wrong", what=what, needed=needed, user=gate.user, role=gate.role)
    if not needed and gate.role == SPONSOR:
        refuse("role_wrong", what=what, needed="investigator", user=gate.user, role=gate.role)


def _grade_checks(gate: Gate, participant: Participant, entry: RecordEntry, on: str, already: int) -> list[NewEvent]:
    """A query where the entered grade is none that follows from the recorded facts; one the term lacks is refused."""
    found, entered = grading_of(gate.protocol, entry), entered_grade(entry)
    if found is None or entered is None:
        return []
    refused = grade_refused(*found, entered)
    if refused is not None:
        raise Refused(refused)
    graded = graded_entry(gate.protocol, entry, partial_date(on))
    if graded is None or not graded.possible or entered in graded.possible:
        return []
    by_facts = " or ".join(str(one) for one in sorted(graded.possible))
    says = f"Grade {entered} was entered; by what is recorded it is {by_facts} ({found[0].name}, {found[1]})."
    return [_query(gate, participant, already, f"{entry.kind} {entry.identity}", says, on)]


def entry_after(gate: Gate, kind: str, record: str, encoded: Mapping[str, Any], on: str) -> RecordEntry:
    """A record as it is with some of its fields entered anew."""
    known = next((entry for entry in gate.facts().records.get(kind, ()) if entry.identity == record), None)
    fields = dict(known.fields) if known else {}
    fields |= {name: Observation(decode(value), partial_date(on)) for name, value in encoded.items()}
    date, parent = (known.date, known.parent) if known else (partial_date(on), "")
    return RecordEntry(kind, record, date, fields, parent)


def _with_observation(facts: Facts, item: str, observation: Observation) -> Facts:
    told: dict[str, Sequence[Observation]] = {item: [*facts.observations.get(item, ()), observation]}
    # in front of the others, which are decoded only where a rule asks for them
    observations: ChainMap[str, Sequence[Observation]] = ChainMap(
        told, cast("dict[str, Sequence[Observation]]", facts.observations)
    )
    return Facts(observations, facts.records, facts.closed, facts.anchors, facts.relatives)


def _signed_by_the_right_role(gate: Gate, name: str, item: Item) -> None:
    if item.kind == "attestation":
        needed = gate.protocol.document.items[name].role
        if gate.role != needed:
            refuse("role_wrong", what=f"The attestation {name}", needed=needed, user=gate.user, role=gate.role)


def _not_closed(participant: Participant, kind: str, on: str) -> None:
    closed = participant.closed.get(kind)
    if closed is not None and partial_date(on).earliest <= closed.latest:
        refuse("list_closed", kind=kind, participant=participant.identity, on=closed.text, date=on)


def _not_performed(gate: Gate, kind: str) -> None:
    """Refuse to enter as a mere record what has requirements, a lot and a dose."""
    for name, intervention in gate.protocol.document.interventions.items():
        if intervention.record == kind:
            refuse("record_performed", kind=kind, intervention=name)


def _parent(gate: Gate, participant: Participant, kind: str, parent: str) -> str:
    needed = gate.protocol.vocabulary.records[kind].parent
    if needed and parent not in participant.records.get(needed, {}):
        refuse("record_unknown", participant=participant.identity, kind=needed, record=parent or "(not named)")
    return parent if needed else ""


def parent_of(gate: Gate, participant: Participant, kind: str, parent: str) -> str:
    """The parent that a record of the kind needs, or a refusal."""
    return _parent(gate, participant, kind, parent)
