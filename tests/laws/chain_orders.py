"""Commands for the soak trial: the next legal step of a woman or a lot, what goes wrong at a bedside, and anything."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from trialwright.trial import commands as c
from trialwright.trial.commands import Command
from trialwright.trial.custody import STEPS
from trialwright.trial.office import Office
from trialwright.trial.state import Participant

WOMEN = ("P-1", "P-2", "P-3", "P-4")
UNITS = tuple(f"U-{number}" for number in range(1, 10))
LOTS, DONORS = ("L-1", "L-2", "L-3"), ("D-1", "D-2", "D-3")
MATERIALS = ("T-1", "T-2", "T-3", "B-1", "B-2", "B-3")
QUALITY, BOARD, SPONSOR = "quality person", "safety board", "sponsor"
TROUBLES = 18
GRAVE = (0, 1, 2, 3, 6, 7, 10, 12, 13)  # those that pause the trial or stop a unit
ROLES = ("investigator", QUALITY, BOARD, SPONSOR, "nurse", "")
USERS = ("Dr Li", "nurse 1", "nurse 2", "", "Dr Wang")
#: Who must do what; everything else is the investigator's.
ROLE_OF: dict[type, str] = {
    c.AnswerQuestion: SPONSOR,
    c.ReleaseLot: QUALITY,
    c.AcceptDonor: QUALITY,
    c.ValidateHold: QUALITY,
    c.ReleaseUnit: QUALITY,
    c.ReviewTrigger: BOARD,
}
#: Times that no clock shows, or shows twice, or that are none.
ODD_TIMES = (
    "2026-03-29T02:30", "2026-10-25T02:30", "2026-10-25T02:00", "2026-10-25T03:00", "2026", "2026-03", "2025-12-31",
    "0001-01-01T00:00", "9999-12-31T23:59", "2026-02-30", "", "yesterday",
)  # fmt: skip


@dataclass(frozen=True)
class When:
    """How long ago something happened, and how exactly that is told; or a time of its own."""

    minutes: int = 0
    length: int = 16  # of the text: 16 a minute, 10 a day, 7 a month, 4 a year
    odd: str | None = None


NOW = When()
whens = st.one_of(
    st.just(NOW),
    st.builds(When, st.integers(0, 90), st.sampled_from((16, 16, 16, 10))),
    st.builds(When, st.sampled_from((-120, -1, 600, 1500, 3000, 9000, 50000)), st.sampled_from((16, 10, 7, 4))),
    st.builds(When, st.just(0), st.just(16), st.sampled_from(ODD_TIMES)),
)

Step = tuple[Command, str]  # with the role that may do it; its `on` is still to be filled in


# ---------------------------------------------------------------- what comes next


def next_of_woman(office: Office, who: str, pick: int, now: str) -> Command:
    """The next step on her way to an infusion and past it; `pick` chooses where there is a choice."""
    trial = office.trial()
    for site in ("S01", "S02"):
        if site not in trial.active:
            return c.ActivateProtocol(site, next(iter(trial.protocols)), "ethics 2026-1", "")
    if "route" not in trial.answers:
        return c.AnswerQuestion("route", "vein", "")
    known = office.find(who)
    if known is None or not known.screened:
        return c.Screen(who, ("S01", "S02")[pick % 2], "")
    return _entry(known, pick) or _treatment(office, known, pick, now)


def _entry(hers: Participant, pick: int) -> Command | None:
    who = hers.identity
    if not hers.consented:
        return c.Consent(who, "1", "")
    for item, value in (
        ("birth_date", f"199{who[-1]}-03-02"),
        ("weight", "60 kg"),
        ("amh", "0.8 ng/mL"),
        ("fit_for_trial", "yes"),
    ):
        if item not in hers.observed:
            return c.Observe(who, item, value, "")
    if "medical_history" not in hers.closed:
        return c.CloseList(who, "medical_history", "")
    if not hers.determinations:
        return c.ConfirmEligibility(who, "")
    if not hers.enrolled:
        return c.Enrol(who, "")
    if hers.allocation is None:
        return c.Allocate(who, "", "control" if pick % 7 == 6 else "cells", "her wish", "Dr Li")
    return None


def _treatment(office: Office, hers: Participant, pick: int, now: str) -> Command:
    who, custody = hers.identity, office.trial().custody
    if hers.queries and pick % 2:
        return c.CloseQuery(who, next(iter(hers.queries)), "it is so", "")
    if (hers.allocation and hers.allocation.arm == "control") or (pick % 11 == 10 and "hormones" not in hers.records):
        return _course(hers, pick)
    units = [unit for unit in custody.units.values() if unit.participant == who]
    unit = units[-1] if units else None
    if unit is None or unit.state == "reconciled":
        fresh = [name for name in UNITS if name not in custody.units]
        return c.OrderUnit(fresh[0] if fresh else "U-99", who, "infusion", "")
    name, mine = unit.identity, unit.verified_by
    called_back = unit.lot in custody.lots and custody.lots[unit.lot].state in ("rejected", "recalled")
    if "rejected" in STEPS[unit.state] and ("" < unit.expires < now or pick % 19 == 18 or (called_back and pick % 2)):
        return c.RejectUnit(name, "too old", "")
    match unit.state:
        case "ordered":
            good = [lot for lot in custody.lots.values() if lot.state in ("released", "conditional")]
            usable = [lot for lot in good if len(lot.used) < 3 + pick % 2]
            if not usable or pick % 13 == 12:
                return next_of_lot(office, pick % 3) or c.OrderUnit(name, who, "infusion", "")  # refused: it is there
            total = ("62000000", "55000000", "66000000", "60 10*6")[pick % 4]
            lot = usable[pick % len(usable)].identity
            return c.ManufactureUnit(name, lot, total, "97 %", "15 mL", "", "")
        case "manufactured":
            return c.TestUnit(name, {"gram_stain": "negative"}, "")
        case "tested":
            return c.ReleaseUnit(name, "", *(("Dr Wang", "few cells") if pick % 4 == 1 else ()))
        case "released" | "conditional":
            return c.IssueUnit(name, "", "logger 3")
        case "issued":
            return c.ReceiveUnit(name, "", "3 Cel", "6 Cel")
        case "received":
            return c.VerifyUnit(name, who, f"199{who[-1]}-03-02", f"|{'nurse 2' if 'nurse 1' in mine else 'nurse 1'}")
        case "verified":
            if not any(event.on.startswith(now[:10]) for event in hers.observed.get("hcg", ())):
                return c.Observe(who, "hcg", "1 [IU]/L", "")
            return c.Perform(who, "infusion", f"infusion-{name}", "", unit=name)
        case "infusing" if pick % 3 == 0:
            return c.InterruptInfusion(who, name, "9 mL", "pain", "")
        case "infusing" if pick % 3 == 1:
            return c.EndInfusion(who, name, "10 mL", "", "1 mL", reason="clotted")
        case "infusing":
            return c.EndInfusion(who, name, "15 mL", "", "1 mL")
        case "interrupted" if pick % 4:
            return c.ResumeInfusion(who, name, "")
        case "interrupted":
            return c.EndInfusion(who, name, "6 mL", "", "1 mL", reason="pain")
        case _:
            return c.ReconcileUnit(name, "burnt", "")


def _course(hers: Participant, pick: int) -> Command:
    who = hers.identity
    if "hormones" not in hers.records:
        return c.Perform(who, "course", "course-1", "")
    line = (who, "course", "course-1", "oestradiol")
    return (
        c.DispenseDrug(*line, "1 mg", 20, ""),
        c.ReturnDrug(*line, "1 mg", 5, ""),
        c.ChangeRegimen(*line, "1 mg", "Dr Li", "headache", ""),
        c.Perform(who, "look", f"scan-{pick % 5}", "", decided_by="Dr Li", reason="she was away"),
    )[pick % 4]


def next_of_lot(office: Office, number: int) -> Command | None:
    """The next step from a donor to a lot that is released for good; the third donor is the second participant."""
    custody = office.trial().custody
    donor, tissue, bank, lot = f"D-{number + 1}", f"T-{number + 1}", f"B-{number + 1}", f"L-{number + 1}"
    if "cells" not in custody.holds:
        return c.ValidateHold("cells", "4", "report 7", "")
    if donor not in custody.donors:
        own = "P-2" if number == 2 and "P-2" in office.trial().sites else ""
        return c.RegisterDonor(donor, "cells", "", own)
    her = custody.donors[donor]
    if not her.results:
        return c.TestDonor(donor, {"hiv": "negative", "hbv": "negative", "hbv_at_3_months": "negative"}, "")
    if her.state == "registered":
        return c.AcceptDonor(donor, "")
    if tissue not in custody.materials:
        return c.RegisterMaterial(tissue, "tissue", donor, "")
    if bank not in custody.materials:
        return c.RegisterMaterial(bank, "bank", tissue, "", 2)
    if lot not in custody.lots:
        return c.RegisterLot(lot, "cells", "", bank, 4)
    if not custody.lots[lot].results:
        return c.TestLot(lot, {"viability": "91 %", "viable_cells": "200 10*6", "endotoxin": "0.1 [EU]/mL"}, "")
    if custody.lots[lot].state == "registered":
        return c.ReleaseLot(lot, "")
    if custody.lots[lot].state != "conditional":
        return None
    if "sterility" not in custody.lots[lot].results:
        return c.TestLot(lot, {"sterility": "negative"}, "")
    return c.ReleaseLot(lot, "")


# ---------------------------------------------------------------- what goes wrong


def trouble(office: Office, kind: int, pick: int) -> Command:
    """Something that should stop others: a recall, a late positive, a grave event, a withdrawal."""
    custody = office.trial().custody
    units, lots = list(custody.units.values()), list(custody.lots)
    given = [unit for unit in units if unit.was_given] or units
    who = given[pick % len(given)].participant if given else WOMEN[pick % 4]
    lot, donor = (lots or ["L-1"])[pick % max(1, len(lots))], DONORS[pick % 3]
    unit = (given or units)[pick % len(given)].identity if given else "U-1"
    record = f"event-{pick % 6}"
    some: list[Command] = [
        c.RecallLot(lot, "a complaint", ""),
        c.RejectDonor(donor, "an illness", ""),
        c.TestDonor(donor, {("hiv", "hbv", "hbv_at_3_months")[pick % 3]: "positive"}, ""),
        c.TestLot(lot, {"sterility": "positive"}, ""),
        c.TestLot(lot, {"viability": "60 %"}, ""),
        c.TestLot(lot, {"viable_cells": ("40 10*6", "<30 10*6")[pick % 2]}, ""),
        c.TestUnit(unit, {"culture": "positive"}, ""),
        c.TestUnit(units[pick % len(units)].identity if units else "U-1", {"gram_stain": "positive"}, ""),
        c.RejectUnit(units[pick % len(units)].identity if units else "U-1", "a leak", ""),
        c.RejectLot(lot, "a leak", ""),
        c.AddRecord(who, "adverse_event", record, "", {"term": "fever", "grade": "5", "outcome": "fatal"}),
        c.AddRecord(who, "adverse_event", record, "", {"term": "embolism", "grade": "2"}),
        c.AddRecord(who, "adverse_event", record, "", {"serious": "yes", "related": "probable"}),
        c.Perform(who, "look", f"scan-{pick % 5}", "", {"clot": "yes"}, decided_by="Dr Li", reason="she was away"),
        c.Observe(who, "weight", ("40 kg", "66 kg")[pick % 2], ""),
        c.Observe(who, "hcg", "80 [IU]/L", ""),
        c.Withdraw(who, "moved away", ""),
        c.ValidateHold("cells", ("1", "0.75", "2.345")[pick % 3], "report 8", ""),
    ]
    assert len(some) == TROUBLES
    return some[kind]


def review(office: Office) -> Command | None:
    """The review that lifts the first pause."""
    for alert in office.trial().alerts.values():
        if alert.pauses:
            return c.ReviewTrigger(alert.identity, "continue", "looked into", "")
    return None


#: What a field of a step is exchanged for, so that it is almost right.
INSTEAD: dict[str, tuple[object, ...]] = {
    "participant": (*WOMEN, "P-9", "p-1", "P 1", ""),
    "unit": (*UNITS[:6], "U-99", "L-1", ""),
    "lot": (*LOTS, "L-9", "U-1", "D-1"),
    "donor": (*DONORS, "D-9", "L-1"),
    "material": MATERIALS,
    "parent": (*MATERIALS, *DONORS, "L-1", ""),
    "intervention": ("infusion", "course", "look", "infusions"),
    "product": ("cells", "plasma", "cell"),
    "total": ("80000000", "40000000", "66000001", "0", "-5", "many", "1e99", "62000000 mg"),
    "viability": ("100 %", "50 %", "<50 %", "0 %", "101 %", ""),
    "volume": ("20 mL", "15 L", "0.015 L", "14.9999 mL", ""),
    "left": ("15 mL", "16 mL", "0 mL", "-1 mL", "<9 mL"),
    "infused": ("15 mL", "0 mL", "6 mL", "5 mL", "15.01 mL", "-1 mL", "10 mL/h"),
    "flush": ("0 mL", "5 mL", "-1 mL"),
    "second": ("1991-03-02", "1991", "1992-03-02", "", "60 kg"),
    "coldest": ("1.9 Cel", "9 Cel", "277.15 K", "<3 Cel", ""),
    "warmest": ("8.1 Cel", "2 Cel", "1e9 Cel", ""),
    "intact": (False, True),
    "approved_by": ("Dr Wang", " ", ""),
    "reason": ("", " ", "it is so", "a\0b"),
    "decision": ("stop", "modify", "go on"),
    "hours": ("1", "0", "1e20", "4 h", "0.0001"),
    "arm": ("control", "cells", "none", ""),
    "record": ("infusion-U-1", "course-1", "event-1", "a b", ""),
    "site": ("S01", "S02", "S03"),
    "of_participant": ("P-1", "P-2", "P-9", ""),
    "passage": (-1, 0, 3, 9),
    "tablets": (-1, 0, 5, 10**30),
    "value": ("61 kg", "40 kg", "<60 kg", "60 lb", "1e98 kg", "yes", "negative", "0.9 ng/mL", ""),
}


# ---------------------------------------------------------------- anything


def _any(*values: str) -> SearchStrategy[str]:
    return st.sampled_from(values)


_who, _unit, _lot = _any(*WOMEN, "P-9", "P 1"), _any(*UNITS[:6], "", "L-1"), _any(*LOTS, "L-9")
_donor, _on, _reason = _any(*DONORS, "D-9"), st.just(""), _any("it is so", "it is so", "it is so", " ")
_course_of = (st.just("course"), _any("course-1", "course-2"), _any("oestradiol", "aspirin"))
_records = _any("event-1", "event-2", "event-3", "infusion-U-1", "scan-1", "course-1")
_kinds = _any("adverse_event", "scan", "infusion", "hormones", "child")
_mL = _any("15 mL", "0 mL", "6 mL", "10 mL", "16 mL", "none")
_fields = st.dictionaries(
    _any("term", "grade", "serious", "related", "death", "clot", "volume_infused", "colour"),
    _any("fever", "embolism", "5", "2", "yes", "no", "probable", "15 mL"),
    max_size=3,
)
_results = st.dictionaries(
    _any("sterility", "viability", "viable_cells", "endotoxin", "gram_stain", "culture", "hiv", "hbv", "volume"),
    _any("negative", "positive", "90 %", "60 %", "100 10*6", "<50 10*6", "0.2 [EU]/mL", "20 [EU]/mL", "15 mL"),
    max_size=2,
)
_donor_results = st.dictionaries(
    _any("hiv", "hbv", "hbv_at_3_months"), _any("negative", "negative", "positive"), max_size=3
)

anything: SearchStrategy[Command] = st.one_of(
    st.builds(c.ActivateProtocol, _any("S01", "S02", "S03"), _any("none"), _reason, _on),
    st.builds(c.AnswerQuestion, _any("route", "complete_infusion"), _any("vein", "artery", "ear"), _on, st.booleans()),
    st.builds(c.RegisterDonor, _donor, _any("cells", "plasma", "x"), _on, _any("", "", "P-1", "P-2", "P-9")),
    st.builds(c.TestDonor, _donor, _donor_results, _on),
    st.builds(c.AcceptDonor, _donor, _on),
    st.builds(c.RejectDonor, _donor, _reason, _on),
    st.builds(
        c.RegisterMaterial, _any(*MATERIALS, "D-1"), _any("tissue", "bank", "egg"), _any(*DONORS, *MATERIALS), _on,
        st.integers(-1, 5), st.just({"medium": "x"}),
    ),
    st.builds(c.ValidateHold, st.just("cells"), _any("1", "4", "2.5", "0.001", "1e30", "no"), _reason, _on),
    st.builds(
        c.RegisterLot, _lot, _any("cells", "plasma"), _on, _any(*DONORS, *MATERIALS, "", "L-1"), st.integers(-1, 5)
    ),
    st.builds(c.TestLot, _lot, _results, _on),
    st.builds(c.ReleaseLot, _lot, _on),
    st.builds(c.RejectLot, _lot, _reason, _on),
    st.builds(c.RecallLot, _lot, _reason, _on),
    st.builds(c.OrderUnit, _unit, _who, _any("infusion", "infusion", "course", "x"), _on),
    st.builds(
        c.ManufactureUnit, _unit, _lot, _any("60000000", "62000000", "1e6"), _any("97 %", "60 %"), _any("15 mL"), _on,
        _on,
    ),
    st.builds(c.TestUnit, _unit, _results, _on),
    st.builds(c.ReleaseUnit, _unit, _on, _any("", "Dr Wang"), _any("", "few cells")),
    st.builds(c.RejectUnit, _unit, _reason, _on),
    st.builds(c.IssueUnit, _unit, _on),
    st.builds(c.ReceiveUnit, _unit, _on, _any("3 Cel", "1 Cel", ""), _any("7 Cel", "9 Cel"), st.booleans()),
    st.builds(c.VerifyUnit, _unit, _who, _any("1991-03-02", "1992-03-02", "1993-03-02", "1991"), _on),
    st.builds(c.ReconcileUnit, _unit, _reason, _on),
    st.builds(c.ReviewTrigger, _any("A1", "A2", "A3"), _any("continue", "modify", "stop"), _reason, _on),
    st.builds(c.Screen, _who, _any("S01", "S02"), _on),
    st.builds(c.Consent, _who, _any("1", "2"), _on),
    st.builds(
        c.Observe, _who, _any("weight", "hcg", "birth_date", "amh", "fit_for_trial", "allergy", "mood"),
        _any("61 kg", "66 kg", "<60 kg", "1 [IU]/L", "80 [IU]/L", "1990", "1991-03-02", "0.9 ng/mL", "yes", "no"),
        _on, st.just({}), _any("", "", "partner"), st.none(), _any("", "", "lost"),
    ),
    st.builds(c.AddRecord, _who, _kinds, _records, _on, _fields),
    st.builds(c.CompleteRecord, _who, _kinds, _records, _on, _fields),
    st.builds(c.CloseList, _who, _any("adverse_event", "medical_history", "scan", "x"), _on),
    st.builds(c.HoldVisit, _who, _any("screening", "safety.14", "after_scan", "x"), _on, _any("", "scan-1")),
    st.builds(c.MissVisit, _who, _any("screening", "safety.28", "end"), _on, _reason, _any("", "scan-1")),
    st.builds(c.ConfirmEligibility, _who, _on),
    st.builds(c.Enrol, _who, _on),
    st.builds(c.Allocate, _who, _on, _any("cells", "control", ""), _reason, _any("Dr Li", "")),
    st.builds(
        c.Perform, _who, _any("infusion", "course", "look"), _records, _on, _fields, st.just(""), st.just(()), _unit
    ),
    st.builds(c.InterruptInfusion, _who, _unit, _mL, _reason, _on),
    st.builds(c.ResumeInfusion, _who, _unit, _on),
    st.builds(c.EndInfusion, _who, _unit, _mL, _on, _mL, _any("", "80 %", "120 %"), _reason),
    st.builds(c.DispenseDrug, _who, *_course_of, _any("1 mg", "0 mg", "1 mL"), st.integers(-1, 40), _on),
    st.builds(c.ReturnDrug, _who, *_course_of, _any("1 mg", "2 mg"), st.integers(-1, 40), _on),
    st.builds(c.ChangeRegimen, _who, *_course_of, _any("1 mg", "stop", "much"), _any("Dr Li", ""), _reason, _on),
    st.builds(c.SendReport, _who, _kinds, _records, _any("7 days", ""), _any("authority"), _on),
    st.builds(c.CloseQuery, _who, _any("Q1", "Q2", "X"), _reason, _on),
    st.builds(c.Note, _who, _any("c1ph3r", ""), _on),
    st.builds(c.OrderErasure, _who, _reason, _on),
    st.builds(c.ConfirmErasure, _who, _on),
    st.builds(
        c.Sign, _any("participant/P-1", "lot/L-1", "unit/U-1", "trial", "x"),
        st.dictionaries(st.integers(0, 99), _any("0" * 64, ""), max_size=2), _any("Dr Li", ""), _reason,
        _any("password"), _on, _any("", "P-1", "P-2"),
    ),
    st.builds(c.EndScreening, _who, _reason, _on),
    st.builds(c.Withdraw, _who, _reason, _on),
    st.builds(
        c.Correct, _who, st.integers(0, 99), st.dictionaries(_any("value", "grade", "term", "clot"),
        _any("59 kg", "1 [IU]/L", "5", "yes", "1991-03-02", "fever"), min_size=1, max_size=1), _reason, _on,
    ),
    st.builds(c.VoidEvent, _who, st.integers(0, 99), _reason, _on),
)  # fmt: skip
