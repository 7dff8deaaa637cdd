"""Facts as the YAML file that `screen` reads: what is of the reference day carries no date of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date

from trialwright.core.interval import Interval, plain
from trialwright.language.facts import Facts, Observation
from trialwright.language.values import Amount, Answer, Kinds, Moment, Value
from trialwright.language.vocabulary import Item
from trialwright.protocol.protocol import Protocol

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./ -]*")


def facts_text(protocol: Protocol, facts: Facts, today: date) -> str:
    """The facts of one participant, points and whole days, as a facts file."""
    return "\n".join(_lines(protocol, facts, today)) + "\n"


def _lines(protocol: Protocol, facts: Facts, today: date) -> Iterator[str]:
    items = protocol.vocabulary.items
    yield f"date: {today}"
    people = [("", facts), *sorted(facts.relatives.items())]
    if any(told for _, own in people for told in own.observations.values()):
        yield "facts:"
    for person, own in people:
        for name in (name for name in items if own.observations.get(name)):
            told = [_observation(items[name], one, today) for one in own.observations[name]]
            key = f"{person}.{name}" if person else name
            yield f"  {key}: {told[0] if len(told) == 1 else '[' + ', '.join(told) + ']'}"
    records = {kind: entries for kind, entries in facts.records.items() if entries}
    if records:
        yield "records:"
    parents = {entry.parent for entries in records.values() for entry in entries if entry.parent}
    for kind, entries in records.items():
        yield f"  {kind}:"
        fields = protocol.vocabulary.records[kind].fields
        for entry in entries:
            pairs = {"id": entry.identity} if entry.identity in parents else {}
            pairs |= {"of": entry.parent} if entry.parent else {}
            pairs["date"] = str(entry.date)
            pairs |= {name: _value(fields[name], told.value) for name, told in entry.fields.items()}
            yield f"    - {_table(pairs)}"
    if facts.anchors:
        yield f"anchors: {_table({name: str(days[0]) for name, days in facts.anchors.items()})}"
    if facts.closed:
        yield f"closed: [{', '.join(facts.closed)}]"


def _observation(item: Item, told: Observation, today: date) -> str:
    pairs = {"value": _value(item, told.value)}
    if str(told.date) != str(today):
        pairs["date"] = str(told.date)
    pairs |= {name: _value(item.attributes[name], value) for name, value in told.attributes.items()}
    if told.normal is not None:
        pairs["normal"] = _quoted(f"{_normal(told.normal)} {item.unit.code}")
    return _table(pairs) if len(pairs) > 1 else pairs["value"]


def _normal(normal: Interval) -> str:
    return f"{plain(normal.low)}..{plain(normal.high)}"


def _value(item: Item, value: Value | None) -> str:
    match value:
        case Amount(interval):
            number = plain(interval.low)
            return number if item.kind == "count" else _quoted(f"{number} {item.unit.code}")
        case Kinds(possible):
            return _quoted(next(iter(possible)))
        case Answer(found):
            return found.value
        case Moment(earliest):
            return str(earliest.date()) if earliest else ""
        case None:
            return ""


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _table(pairs: dict[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in pairs.items()) + "}"
