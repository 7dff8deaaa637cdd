"""The grade of a recorded adverse event: what was entered beside what follows from the facts that were recorded."""

from __future__ import annotations

from trialwright.core.interval import is_point
from trialwright.core.partial_date import PartialDate
from trialwright.language.facts import Observation, RecordEntry
from trialwright.language.values import Amount, Kinds
from trialwright.protocol.grading import Graded, GradingPack, graded, grading_pack
from trialwright.protocol.protocol import Protocol

#: What grading asks for under one name, and every record of an adverse event holds under another.
_CALLED = {"died": "death", "hospitalised": "hospitalisation"}


def grading_of(protocol: Protocol, entry: RecordEntry) -> tuple[GradingPack, str] | None:
    """The pack and the term by which an event is graded; None where the protocol maps its term to none."""
    told = entry.fields.get("term")
    if told is None or not isinstance(told.value, Kinds) or len(told.value.possible) != 1:
        return None
    (term,) = told.value.possible
    safety = protocol.document.safety
    return (grading_pack(safety.grading), safety.terms[term]) if term in safety.terms else None


def graded_entry(protocol: Protocol, entry: RecordEntry, when: PartialDate) -> Graded | None:
    """The grades that are possible by what is recorded of an event; None where nothing says how to grade it."""
    found = grading_of(protocol, entry)
    if found is None:
        return None
    pack, term = found
    return graded(pack, term, graded_fields(pack, entry), when)


def graded_fields(pack: GradingPack, entry: RecordEntry) -> dict[str, Observation]:
    """The fields of an event under the names that grading asks for."""
    fields = dict(entry.fields)
    for asked, held in _CALLED.items():
        if asked in pack.fields and asked not in fields and held in fields:
            fields[asked] = fields[held]
    return fields


def entered_grade(entry: RecordEntry) -> int | None:
    """The grade that was entered, where it is one number."""
    told = entry.fields.get("grade")
    value = told.value if told is not None else None
    return int(value.interval.low) if isinstance(value, Amount) and is_point(value.interval) else None
