"""The form of a visit, made from what the protocol does there; and the commands that a filled form stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from trialwright.language.values import show
from trialwright.ledger.envelope import Event
from trialwright.protocol.document import Activity
from trialwright.protocol.protocol import NO_LIMITS, Protocol
from trialwright.trial import commands as c
from trialwright.trial.commands import Command
from trialwright.trial.decoding import decode_observation
from trialwright.trial.schedule import encounter_of
from trialwright.trial.state import Participant
from trialwright.web.fields import Field, field_of, shown_unit, typed, with_unit
from trialwright.web.words import label

HOLD = "hold"


@dataclass(slots=True)
class Kind:
    """A kind of record that the visit adds to or completes, and what is recorded of it."""

    name: str
    label: str
    adds: bool
    completes: tuple[str, ...]
    rows: list[tuple[str, str, list[tuple[str, str]]]] = field(default_factory=list)  # identity, day, fields


@dataclass(slots=True)
class Closing:
    """A list that is declared complete at the visit."""

    name: str
    label: str
    closed: str
    ticked: bool = False


@dataclass(slots=True)
class Group:
    """What one activity asks for."""

    name: str
    label: str
    fields: list[Field]


@dataclass(slots=True)
class VisitForm:
    """Everything that a visit asks, does and decides."""

    encounter: str
    record: str
    on: str
    groups: list[Group] = field(default_factory=list)
    kinds: list[Kind] = field(default_factory=list)
    closings: list[Closing] = field(default_factory=list)
    performs: list[str] = field(default_factory=list)
    decides: list[str] = field(default_factory=list)
    ends: bool = False  # the visit is over with this form

    @property
    def fields(self) -> Iterator[Field]:
        """Every field of every group."""
        for group in self.groups:
            yield from group.fields


def visit_form(
    protocol: Protocol, participant: Participant, encounter: str, record: str, role: str, on: str
) -> VisitForm:
    """The empty form of a visit for one participant, with what is recorded of her beside each field."""
    form = VisitForm(encounter, record, on)
    schedule = protocol.document.schedule
    for name in schedule.encounters[encounter_of(encounter)].does:
        activity = schedule.activities[name]
        fields = [_asked(protocol, participant, item, "", role) for item in activity.asks]
        fields += [_asked(protocol, participant, item, "partner", role) for item in activity.partner]
        if fields:
            form.groups.append(Group(name, name.replace("_", " ").capitalize(), fields))
        form.kinds += _kinds(protocol, participant, activity, record)
        form.closings += [_closing(protocol, participant, one) for one in activity.closes]
        form.performs += [activity.performs] if activity.performs else []
        form.decides += [activity.decides] if activity.decides else []
    return form


def filled(form: VisitForm, told: Mapping[str, str]) -> VisitForm:
    """The form with what was typed."""
    form.on = told.get("on", form.on).strip()
    form.ends = told.get("ends") == "yes"
    for one in form.fields:
        typed(one, told)
    for closing in form.closings:
        closing.ticked = told.get(f"close:{closing.name}") == "yes"
    return form


def commands_of(form: VisitForm, participant: Participant) -> dict[str, Command]:
    """The commands of a filled form, by the field that each stands for; what is empty stands for nothing."""
    found: dict[str, Command] = {}
    who = participant.identity
    for one in form.fields:
        if one.locked or not (one.value or one.not_done):
            continue
        person, _, item = one.name.rpartition(".")
        attributes = {
            part.name.rpartition("~")[2]: with_unit(part, part.value) for part in one.attributes if part.value
        }
        normal = None
        if one.normal is not None and all(one.normal):
            normal = (with_unit(one, one.normal[0]), with_unit(one, one.normal[1]))
        value = "" if one.not_done and not one.value else with_unit(one, one.value)
        not_done = "" if one.value else one.not_done
        found[one.name] = c.Observe(
            who, item, value, one.day or form.on, attributes, person, normal, not_done, form.encounter, form.record
        )
    for closing in form.closings:
        if closing.ticked and not closing.closed:
            found[f"close:{closing.name}"] = c.CloseList(who, closing.name, form.on)
    if form.ends:
        found[HOLD] = c.HoldVisit(who, form.encounter, form.on, form.record)
    return found


def names_of(form: VisitForm) -> list[str]:
    """The names that commands of a form may have."""
    return [*(one.name for one in form.fields), *(f"close:{closing.name}" for closing in form.closings), HOLD]


def _asked(protocol: Protocol, participant: Participant, item: str, person: str, role: str) -> Field:
    name = f"{person}.{item}" if person else item
    text = f"{label(protocol, item)}, {person}" if person else label(protocol, item)
    made = field_of(name, text, protocol.vocabulary.items[item], protocol.limits.get(item, NO_LIMITS))
    made.may_be_not_done = True
    if item in _against_normal(protocol):
        made.normal = ("", "")
    needed = protocol.document.items[item].role
    if needed and needed != role:
        made.locked = needed
    log = participant.relatives.get(person, {}) if person else participant.observed
    made.recorded = [(shown(protocol, item, event), event.seq) for event in log.get(item, ())[-3:]]
    return made


def shown(protocol: Protocol, item: str, event: Event) -> str:
    """A recorded answer with its day, as entered."""
    told = decode_observation(event.payload, event)
    unit = protocol.vocabulary.items[item].unit.code if item in protocol.vocabulary.items else "1"
    value = told.entered or (
        show(told.value, shown_unit(unit)) if told.value is not None else _("not done: %(why)s") % {"why": told.why}
    )
    return f"{value}, {event.on}"


def _against_normal(protocol: Protocol) -> frozenset[str]:
    """The items that a rule compares with the reference range that comes with the result."""
    if protocol.digest not in _COMPARED:
        part = protocol.document.population
        rules = " ".join(one.rule for one in (*part.inclusion.values(), *part.exclusion.values()))
        _COMPARED[protocol.digest] = frozenset(re.findall(r"(\w+) (?:inside|outside) normal", rules))
    return _COMPARED[protocol.digest]


_COMPARED: dict[str, frozenset[str]] = {}  # by the digest of the protocol


def _kinds(protocol: Protocol, participant: Participant, activity: Activity, record: str) -> Iterator[Kind]:
    for name in dict.fromkeys((*activity.adds, *activity.completes)):
        kind = Kind(name, label(protocol, name), name in activity.adds, tuple(activity.completes.get(name, ())))
        kind.rows = rows_of(protocol, participant, name, record)
        yield kind


def rows_of(
    protocol: Protocol, participant: Participant, kind: str, record: str = ""
) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """The records of a kind: identity, day, and fields as label and value; of one record alone where it is named."""
    rows = []
    for identity, events in participant.records.get(kind, {}).items():
        parent = str(events[0].payload.get("parent") or "")
        if record and record not in (identity, parent) and protocol.vocabulary.records[kind].parent:
            continue
        told: dict[str, str] = {}
        for event in events:
            fields = event.payload.get("fields")
            for name, value in fields.items() if isinstance(fields, dict) else ():
                told[name] = str(value.get("entered", "")) if isinstance(value, dict) else ""
        rows.append((identity, events[0].on, [(label(protocol, name), value) for name, value in told.items()]))
    return rows


def _closing(protocol: Protocol, participant: Participant, name: str) -> Closing:
    closed = participant.closed.get(name)
    text = label(protocol, name) if name in protocol.document.records else name.replace("_", " ")
    return Closing(name, text[:1].upper() + text[1:], closed.text if closed else "")
