"""What must hold before something is carried out or signed, each with its answer as things stand now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from django.utils.translation import gettext as _

from trialwright.core.partial_date import partial_date
from trialwright.language.evaluate import answer, evaluate
from trialwright.language.facts import Facts, Observation
from trialwright.protocol.document import Requirement
from trialwright.protocol.protocol import Protocol
from trialwright.trial import commands as c
from trialwright.trial.commands import Command
from trialwright.trial.custody import Unit
from trialwright.trial.facts import as_if_performed, facts_of
from trialwright.trial.state import TrialState
from trialwright.web.casebooks import line, share
from trialwright.web.eligibility_panel import panel
from trialwright.web.order_choices import Around

#: What is required, its answer, and how that looks.
Row: TypeAlias = tuple[str, str, str]


def before(around: Around, command: type[Command], now: datetime) -> list[Row]:
    """What the one who gives a command sees first: requirements, criteria of entry, how whole a casebook is."""
    custody, link = around.trial.custody, around.link
    if command is c.Perform:
        return _of_procedure(around, now)
    if command is c.ReleaseLot and link.get("lot") in custody.lots:
        return list(of_lot(around.protocol, around.trial, link["lot"], str(now.date())))
    if command is c.ReleaseUnit and link.get("unit") in custody.units:
        return list(of_unit(around.protocol, around.trial, custody.units[link["unit"]], str(now.date())))
    if command in (c.ConfirmEligibility, c.Enrol, c.Allocate) and around.participant is not None:
        found = panel(around.protocol, around.participant, str(now.date()), now.date())
        return [(f"{one.name}: {one.words}", one.answer, one.tone) for one in found.lines]
    if command in (c.SignCasebook, c.Lock) and around.participant is not None:
        return list(_of_casebook(around, now, signed=command is c.Lock))
    return []


def _of_casebook(around: Around, now: datetime, signed: bool) -> Iterator[Row]:
    """How whole a casebook is: forms that are owed, queries that are not closed, what is verified, the signature."""
    woman = around.participant
    assert woman is not None, "a casebook is a participant's"
    one = line(around.protocol, around.trial, woman, now.date())
    yield (
        _("Every form that is due is complete, or the visit is recorded as missed."),
        f"{one.done} / {one.due}",
        ("good" if one.done == one.due else "bad"),
    )
    asked = one.open + one.answered
    yield _("Every query is closed."), str(asked) if asked else _("yes"), "bad" if asked else "good"
    whole = one.verified == one.able
    yield _("Entries compared with the source."), share(one.verified, one.able), "good" if whole else "open"
    if signed:
        says = one.signed or _("not yet")
        yield _("The investigator has signed the casebook as it stands."), says, "good" if says == "signed" else "bad"


def of_lot(protocol: Protocol, trial: TrialState, lot: str, on: str) -> Iterator[Row]:
    """The requirements for the release of a lot."""
    found = trial.custody.lots[lot]
    release = protocol.document.products[found.product].release
    return requirements(protocol, f"products.{found.product}.release", release, found.results, on)


def of_unit(protocol: Protocol, trial: TrialState, unit: Unit, on: str) -> Iterator[Row]:
    """The requirements for the release of a unit, which rest on its lot too."""
    lot = trial.custody.lots.get(unit.lot)
    known = {**(lot.results if lot else {}), **unit.results}
    release = protocol.document.products[unit.product].unit.release
    return requirements(protocol, f"products.{unit.product}.unit.release", release, known, on)


def requirements(
    protocol: Protocol,
    path: str,
    asked: Sequence[Requirement],
    results: Mapping[str, Sequence[Observation]],
    on: str,
) -> Iterator[Row]:
    """Every requirement of a list with its answer on a day."""
    facts = Facts(dict(results))
    for index, one in enumerate(asked):
        found = answer(evaluate(protocol.rules[f"{path}.{index}.rule"], facts, partial_date(on))).value
        tone = {"yes": "good", "no": "bad"}.get(found, "open")
        yield one.says, found if found != "unknown" or not one.later else "comes later", tone


def _of_procedure(around: Around, now: datetime) -> list[Row]:
    name = around.link.get("intervention", "")
    intervention = around.protocol.document.interventions.get(name)
    if intervention is None or around.participant is None:
        return []
    minute = now.strftime("%Y-%m-%dT%H:%M")
    facts = as_if_performed(around.protocol, facts_of(around.protocol, around.participant), intervention, minute)
    arm = around.participant.allocation.arm if around.participant.allocation else ""
    rows = []
    for index, one in enumerate(intervention.requires):
        if not arm or not one.arms or arm in one.arms:
            rule = around.protocol.rules[f"interventions.{name}.requires.{index}.rule"]
            holds = answer(evaluate(rule, facts, partial_date(minute))).value
            rows.append((one.says, holds, {"yes": "good", "no": "bad"}.get(holds, "open")))
    return rows
