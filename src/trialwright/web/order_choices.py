"""What an order offers to choose from, and the fields that the protocol makes for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from trialwright.language.vocabulary import Vocabulary
from trialwright.protocol.adverse_event import ADVERSE_EVENT, CRITERIA, ROLES, SPONSOR
from trialwright.protocol.protocol import NO_LIMITS, Protocol
from trialwright.trial import delegations
from trialwright.trial.custody import FROM_THE_UNIT
from trialwright.trial.state import Participant, TrialState
from trialwright.web.fields import Field, field_of
from trialwright.web.words import label, written

ERASURE_REASONS = (
    "she withdrew and asked for it",
    "she asked for it",
    "the time of keeping is over",
    "kept by mistake, or of somebody else",
)


@dataclass(frozen=True, slots=True)
class Around:
    """What an order is given in: the protocol, the state, who it is about, who gives it, and what the link said."""

    protocol: Protocol
    trial: TrialState
    participant: Participant | None
    role: str
    link: Mapping[str, str]


def products(around: Around) -> list[tuple[str, str]]:
    """The products of the protocol."""
    return [(name, written(one.label)) for name, one in around.protocol.document.products.items()]


def arms(around: Around) -> list[tuple[str, str]]:
    """The arms of the protocol."""
    return [(name, written(one.label)) for name, one in around.protocol.document.arms.items()]


def sites(around: Around) -> list[tuple[str, str]]:
    """The sites of the protocol."""
    return [(name, f"{name}, {written(one)}") for name, one in around.protocol.document.sites.items()]


def sites_or_all(around: Around) -> list[tuple[str, str]]:
    """The sites, or every one."""
    return [("", "every site"), *sites(around)]


def erasure_reasons(_around: Around) -> list[tuple[str, str]]:
    """Why somebody is erased: chosen, so that nobody types a name into the ledger."""
    return [(one, _(one)) for one in ERASURE_REASONS]


def origins(around: Around) -> list[tuple[str, str]]:
    """What a lot or a bank may be made from."""
    custody = around.trial.custody
    return [("", "nothing recorded"), *((one, one) for one in (*custody.donors, *custody.materials))]


def lots(around: Around) -> list[tuple[str, str]]:
    """The lots that may be prepared from, newest first, with how many units were taken from each."""
    unit = around.trial.custody.units.get(around.link.get("unit", ""))
    return [
        (one.identity, f"{one.identity}, {one.state}, {len(one.used)} units taken")
        for one in reversed(around.trial.custody.lots.values())
        if one.state not in ("rejected", "recalled") and (unit is None or one.product == unit.product)
    ]


def giving(around: Around) -> list[tuple[str, str]]:
    """What gives a product."""
    return [(name, written(one.label)) for name, one in around.protocol.document.interventions.items() if one.product]


def drugs(around: Around) -> list[tuple[str, str]]:
    """The drugs of the regimen."""
    intervention = around.protocol.document.interventions.get(around.link.get("intervention", ""))
    names = dict.fromkeys(one.drug for one in intervention.doses) if intervention else {}
    return [(name, name) for name in names]


def roles(_around: Around) -> list[tuple[str, str]]:
    """Every role that may be delegated."""
    return [(one, one) for one in delegations.ROLES]


def options(around: Around) -> list[tuple[str, str]]:
    """The answers that an open question allows."""
    assumption = around.protocol.document.assumptions.get(around.link.get("question", ""))
    return (
        [(name, f"{name.replace('_', ' ')}: {says}") for name, says in assumption.options.items()] if assumption else []
    )


def decisions(_around: Around) -> list[tuple[str, str]]:
    """What a board may decide."""
    return [(one, one) for one in ("continue", "modify", "stop")]


def materials(_around: Around) -> list[tuple[str, str]]:
    """Kinds of material."""
    return [("tissue", "tissue of a donor"), ("bank", "cell bank")]


def rules(around: Around) -> list[tuple[str, str]]:
    """The rule that a report is sent under."""
    return [(around.link["rule"], around.link["rule"])] if "rule" in around.link else []


# ---------------------------------------------------------------- fields made from the protocol


def _of_vocabulary(vocabulary: Vocabulary, labels: Mapping[str, str]) -> list[Field]:
    return [field_of(name, labels.get(name, name), item, NO_LIMITS) for name, item in vocabulary.items.items()]


def lot_results(around: Around) -> list[Field]:
    """What a lot is tested for."""
    lot = around.trial.custody.lots.get(around.link.get("lot", ""))
    if lot is None:
        return []
    items = around.protocol.document.products[lot.product].items
    return _of_vocabulary(
        around.protocol.products[lot.product], {name: written(one.label) for name, one in items.items()}
    )


def donor_results(around: Around) -> list[Field]:
    """What a donor is tested for."""
    donor = around.trial.custody.donors.get(around.link.get("donor", ""))
    part = around.protocol.document.products[donor.product].donor if donor else None
    if donor is None or part is None:
        return []
    return _of_vocabulary(
        around.protocol.donors[donor.product], {name: written(one.label) for name, one in part.items.items()}
    )


def unit_results(around: Around) -> list[Field]:
    """What a unit is tested for, but for what its preparation fills."""
    unit = around.trial.custody.units.get(around.link.get("unit", ""))
    if unit is None:
        return []
    part = around.protocol.document.products[unit.product].unit
    vocabulary = around.protocol.units[unit.product]
    own = [name for name in part.items if name not in part.recipient and name not in ("volume", "total_cells")]
    return [
        field_of(name, written(part.items[name].label), vocabulary.items[name], NO_LIMITS)
        for name in own
        if name in vocabulary.items
    ]


def record_fields(around: Around) -> list[Field]:
    """The fields of a kind of record that the one who asks may enter; of an adverse event the pressing ones first."""
    kind = around.link.get("kind", "")
    record = around.protocol.vocabulary.records.get(kind)
    if record is None:
        return []
    named = [one for one in around.link.get("fields", "").split(",") if one]
    wanted = named or sorted(record.fields, key=lambda one: _FIRST.index(one) if one in _FIRST else len(_FIRST))
    made = []
    for name in wanted:
        if name not in record.fields or (name in FROM_THE_UNIT and _is_given(around.protocol, kind)):
            continue
        needed = ROLES.get(name, "") if kind == ADVERSE_EVENT else ""
        if (kind == ADVERSE_EVENT and (needed or around.role) != around.role) or (
            not needed and around.role == SPONSOR
        ):
            continue
        limits = around.protocol.limits.get(f"{kind}.{name}", NO_LIMITS)
        field = field_of(name, label_of(around.protocol, kind, name), record.fields[name], limits)
        field.folded = kind == ADVERSE_EVENT and not named and name not in _FIRST
        if kind == ADVERSE_EVENT and name == "aware":
            field.help = "With the minute, as 2026-03-09T07:40: the clocks of reporting run from it"
        made.append(field)
    return made


#: What is asked of an adverse event at once; the rest is folded away.
_FIRST = ("term", "grade", "serious", "related", "outcome", "aware", *CRITERIA)


def _is_given(protocol: Protocol, kind: str) -> bool:
    return any(one.record == kind and one.product for one in protocol.document.interventions.values())


def label_of(protocol: Protocol, kind: str, name: str) -> str:
    """How a field of a kind of record is called."""
    fields = protocol.document.records[kind].fields
    return written(fields[name].label) if name in fields else label(protocol, name)


def performed_fields(around: Around) -> list[Field]:
    """The fields of what is carried out, but for those that are completed later."""
    intervention = around.protocol.document.interventions.get(around.link.get("intervention", ""))
    if intervention is None:
        return []
    later = {
        name
        for activity in around.protocol.document.schedule.activities.values()
        for name in activity.completes.get(intervention.record, ())
    }
    found = record_fields(
        Around(around.protocol, around.trial, around.participant, around.role, {"kind": intervention.record})
    )
    return [one for one in found if one.name not in later]


def corrected(around: Around) -> list[Field]:
    """The field that is corrected: of an observation its value, of a record the named field."""
    protocol, item = around.protocol, around.link.get("item", "")
    kind, _, name = item.rpartition(".")
    if kind in protocol.vocabulary.records:
        made = field_of(
            name,
            label_of(protocol, kind, name),
            protocol.vocabulary.records[kind].fields[name],
            protocol.limits.get(item, NO_LIMITS),
        )
    elif item in protocol.vocabulary.items:
        made = field_of(
            "value", label(protocol, item), protocol.vocabulary.items[item], protocol.limits.get(item, NO_LIMITS)
        )
    else:
        return []
    made.help = f"It says {around.link.get('old', '')} now. {made.help}".strip()
    return [made]
