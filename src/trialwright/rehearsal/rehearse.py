"""A rehearsal: the whole trial with virtual women, day by day, until the last one's part has ended."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from trialwright.core.finding import Finding, Refused, finding
from trialwright.ledger.envelope import NewEvent, Submission
from trialwright.ledger.store import Ledger, Writer
from trialwright.protocol.protocol import Protocol
from trialwright.rehearsal.model import FILE, Model
from trialwright.rehearsal.nature import ArmsBehind
from trialwright.rehearsal.site import Case, Site
from trialwright.trial import events as e
from trialwright.trial.office import Office, Sender, register_protocol

#: More women than this per place are not screened: then the criteria let nobody in.
_MOST_PER_PLACE = 40


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a rehearsal came to: the last day, and what was refused on the way."""

    last_day: date
    screened: int
    enrolled: int
    refusals: dict[str, int]


def unanswered(protocol: Protocol, model: Model) -> list[Finding]:
    """The open questions that block something and that the model does not answer."""
    return [
        finding(
            "rehearsal_unanswered",
            question=name,
            blocks=", ".join(assumption.blocks),
            silent=assumption.silent,
            decides=assumption.decides.capitalize(),
            options=", ".join(assumption.options) or "an expression",
        )
        for name, assumption in protocol.document.assumptions.items()
        if not assumption.choice and assumption.blocks and name not in model.document.answers
    ]


def rehearse(
    protocol: Protocol,
    model: Model,
    ledger: Ledger,
    seed: int,
    scenario: str,
    progress: Callable[[str], None] = lambda _text: None,
    sealed: ArmsBehind | None = None,
    until: date | None = None,
) -> Rehearsed:
    """Run the whole trial into a new ledger, in one transaction; up to the end of a day where one is named.

    The same protocol, model, seed, scenario and software version give the same events, hash for hash. `Refused`
    where an open question is not answered, or where the trial cannot be filled.
    """
    missing = unanswered(protocol, model)
    if missing:
        raise Refused(*missing)
    start = date.fromisoformat(model.document.start)
    office = Office(ledger, ledger.header.software, kept=None)
    office.protocols[protocol.digest] = protocol
    with ledger.writing() as writer:
        _register(writer, protocol, model, ledger.header.software, start, scenario)
        site = Site(protocol, model, office, writer, seed, scenario, sealed)
        site.open(start)
        return _run(protocol, model, site, start, seed, progress, until or date.max)


def _register(writer: Writer, protocol: Protocol, model: Model, software: str, start: date, scenario_name: str) -> None:
    by = Sender("virtual-sponsor", "sponsor", f"{start}T00:00:00Z")
    register_protocol(writer, protocol, by, software, str(start))
    submission = Submission(
        "register rehearsal", by.at, by.user, by.role, protocol.document.zone, protocol.digest, software
    )
    scenario = model.document.scenarios[scenario_name]
    payload: dict[str, Any] = {"files": {FILE: writer.keep(model.content)}, "scenario": scenario}
    writer.append(submission, [NewEvent(e.TRIAL, e.REHEARSAL_REGISTERED, str(start), payload)])


def _run(
    protocol: Protocol,
    model: Model,
    site: Site,
    start: date,
    seed: int,
    progress: Callable[[str], None],
    until: date,
) -> Rehearsed:
    dice = np.random.default_rng([seed, 0, 3])
    target = protocol.document.design.enrolment
    counter = itertools.count()
    agenda: list[tuple[date, int, str, Case | None, Any]] = []

    def plan(day: date, what: str, case: Case | None, data: Any = None) -> None:
        heapq.heappush(agenda, (day, next(counter), what, case, data))

    per_week = float(model.document.women_per_week)
    plan(start + timedelta(days=7), "arrival", None)
    screened, today = 0, start
    while agenda and agenda[0][0] <= until:
        today, _, what, case, data = heapq.heappop(agenda)
        enrolled = len(site.office.trial().enrolled)
        if what == "arrival":
            if enrolled >= target:
                continue
            if screened >= target * _MOST_PER_PLACE:
                raise Refused(finding("rehearsal_stuck", screened=screened, enrolled=enrolled, target=target))
            screened += 1
            case = site.receive(screened, today)
            plan(today + timedelta(days=max(1, round(dice.exponential(7 / per_week)))), "arrival", None)
            plan(today, "see", case)
            progress(f"{today}: {screened} screened, {enrolled} of {target} enrolled")
        else:
            following = _do(site, what, case, data, today)
            if following is not None:
                plan(following, "see", case)
        for later in site.later:
            plan(*later)
        site.later.clear()
    progress("")
    return Rehearsed(today, screened, len(site.office.trial().enrolled), site.refusals)


def _do(site: Site, what: str, case: Case | None, data: Any, today: date) -> date | None:
    """Do what was planned for a day; where that was a visit, the day of the next one."""
    if case is None:  # about the trial
        if what == "review":
            site.review(data, today)
        else:
            site.laboratory.enter(data, today)
        return None
    match what:
        case "see":
            return site.see(case, today)
        case "enter late":
            one, on = data
            participant = site.office.participant(case.identity)
            if not participant.withdrawn:
                site.hold(case, one, on, today)
        case "answer queries":
            queries, slip = data
            site.answer_queries(case, queries, slip, today)
        case "judge":
            site.desk.judge(case.identity, data, today, case.woman.site_dice)
        case "hear":
            site.desk.hear(case.identity, data, today)
        case "close":
            site.desk.close(case.identity, data, today)
        case "tablets":
            site.serve(case, data, today)
        case "withdraw":
            site.withdraw(case, today)
        case _:
            site.correct_late(case, data.item, data.value, data.reason, today)
    return None
