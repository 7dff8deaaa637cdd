"""The virtual site: it looks at what is due, sees women, enters what nature shows, and makes the usual mistakes.

Everything it does is a command through the one gate that a real site uses.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from trialwright.core.finding import Refused, Where, finding, says
from trialwright.core.interval import plain
from trialwright.core.partial_date import partial_date
from trialwright.ledger.envelope import Event
from trialwright.ledger.keys import SeededKeyStore, encrypt
from trialwright.ledger.store import Writer
from trialwright.protocol.adverse_event import ADVERSE_EVENT
from trialwright.protocol.document import Activity, Encounter
from trialwright.protocol.protocol import Protocol
from trialwright.rehearsal.cell_laboratory import CellLaboratory
from trialwright.rehearsal.expecting import expecting
from trialwright.rehearsal.model import FILE, Model, RecordModel
from trialwright.rehearsal.nature import ArmsBehind, Woman, as_text
from trialwright.rehearsal.pharmacy import Pharmacy
from trialwright.rehearsal.safety_desk import CLOSED, JUDGED, OPINION, SafetyDesk
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.facts import anchor_date
from trialwright.trial.gate import PRODUCT
from trialwright.trial.office import Office, Sender
from trialwright.trial.schedule import Planned, encounter_of, planned

#: Who does what at the virtual site; every name says that it is virtual.
USERS = {
    "investigator": "virtual-investigator",
    "coordinator": "virtual-coordinator",
    "embryologist": "virtual-embryologist",
    "cell laboratory": "virtual-cell-laboratory",
    "quality person": "virtual-quality-person",
    "data manager": "virtual-data-manager",
    "sponsor": "virtual-sponsor",
    "safety board": "virtual-safety-board",
}
#: What a formula says where there is nothing to record.
NOTHING = "nothing"
_STEP = timedelta(seconds=20)
#: Refusals that no woman and no site brings about: the model does not fit the protocol.
_OF_THE_MODEL = ("formula_", "rehearsal_", "fact_", "field_", "attribute_", "value_impossible")
_MORNING = time(9, 0)
#: Refusals after which a site tries again on another day.
_WAITS = ("sentinel", "trial_paused", "product_in_doubt")


@dataclass(slots=True)
class Slip:
    """A value that was entered wrongly and waits to be found."""

    event: int
    true: str
    reason: str


@dataclass(slots=True)
class Case:
    """A woman at the site: who she is, and what the site remembers about her."""

    identity: str
    woman: Woman
    days: dict[tuple[str, str], date] = field(default_factory=dict)
    done: set[tuple[str, str]] = field(default_factory=set)
    tries: int = 0
    since: tuple[tuple[object, ...], dict[str, Any]] = ((), {})


class Site:
    """One virtual site in one rehearsal."""

    def __init__(
        self,
        protocol: Protocol,
        model: Model,
        office: Office,
        writer: Writer,
        seed: int,
        scenario: str,
        sealed: ArmsBehind | None = None,
    ) -> None:
        self.protocol = protocol
        self.model = model
        self.office = office
        self.writer = writer
        self.seed = seed
        self.scenario = scenario
        self.sealed = sealed
        self.keys = SeededKeyStore(seed)
        self.refusals: dict[str, int] = {}
        self.later: list[tuple[date, str, Case | None, Any]] = []  # what the site will do on a day to come
        self._zone = ZoneInfo(protocol.document.zone)
        self._clock = datetime.combine(date.fromisoformat(model.document.start), _MORNING)
        self._numbers = itertools.count(1)
        self._so_far: Counter[tuple[str, str]] = Counter()  # kind, field -> records of the trial in which it was true
        self._timed: date | None = None  # the day of an infusion, on which the hours matter
        self.laboratory = CellLaboratory(protocol, model, office, self.submit, seed)
        self.pharmacy = Pharmacy(protocol, office, self.submit)
        self.desk = SafetyDesk(protocol, office, self.submit)

    # ------------------------------------------------------------ commands

    def submit(self, command: c.Command, role: str, day: date) -> list[Event]:
        """Submit a command on a day, as a user of the role; the recording clock never runs backwards."""
        self._clock = max(self._clock + _STEP, datetime.combine(day, _MORNING), _told(command.on))
        at = self._clock.replace(tzinfo=self._zone).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        by = Sender(USERS[role], role, at)
        events = self.office.submit_within(self.writer, command, by, f"c{next(self._numbers)}")
        for event in events:
            if event.type == e.TRIGGER_RAISED:
                review = day + timedelta(days=self.model.document.safety.review_days)
                self.later.append((review, "review", None, str(event.payload["alert"])))
        return events

    def open(self, day: date) -> None:
        """Activate the protocol and record the answers to its open questions."""
        document = self.model.document
        approval = "virtual approval for a rehearsal"
        self.submit(c.ActivateProtocol(document.site, self.protocol.digest, approval, str(day)), "investigator", day)
        for question, given in document.answers.items():
            self.submit(c.AnswerQuestion(question, given.answer, str(day), from_file=True), "investigator", day)
        self.laboratory.open(day)

    def receive(self, number: int, day: date) -> Case:
        """A woman comes, is screened under a pseudonym, and consents."""
        identity = f"P-{number:03}"
        case = Case(identity, Woman(self.model, self.seed, number, self.scenario))
        self.submit(c.Screen(identity, self.model.document.site, str(day)), "coordinator", day)
        self.submit(c.Consent(identity, self.model.document.consent_version, str(day)), "investigator", day)
        return case

    # ------------------------------------------------------------ visits

    def see(self, case: Case, today: date) -> date | None:
        """Hold every visit whose day has come, in the order of the schedule; when she comes next, or None."""
        while True:
            waiting = [(self._day(case, one), one) for one in self._visits(case, today) if one.standing in _OPEN]
            due = [one for day, one in waiting if day <= today]
            if not due:
                return min((day for day, _ in waiting), default=None)
            self._visit(case, due[0], today)

    def _visits(self, case: Case, today: date) -> list[Planned]:
        participant = self.office.participant(case.identity)
        return planned(self.protocol, self.office.trial(), participant, today, {*participant.visits, *case.done})

    def _day(self, case: Case, one: Planned) -> date:
        """The day on which she really comes: drawn once for each visit."""
        if one.key not in case.days:
            name = encounter_of(one.encounter)
            if case.woman.has(f"visits.{name}"):
                at_hand = self._at_hand(case, one.record)
                offset = round(case.woman.number(f"visits.{name}", at_hand))
            else:
                before, after = (one.earliest - one.day).days, (one.latest - one.day).days
                spread = (min(before, 0) / 3, max(after, 0) / 3)
                offset = round(float(case.woman.site_dice.triangular(spread[0], 0, spread[1] + 1e-9)))
            case.days[one.key] = one.day + timedelta(days=offset)
        return case.days[one.key]

    def _visit(self, case: Case, one: Planned, today: date) -> None:
        encounter = self.protocol.document.schedule.encounters[encounter_of(one.encounter)]
        mess, dice = self.model.document.mess, case.woman.site_dice
        if one.standing == "undecided":
            if today <= one.latest:
                case.days[one.key] = today + timedelta(days=3)
                return
            self._miss(case, one, today, f"its condition could not be decided: {one.why}")
            return
        if encounter_of(one.encounter) not in mess.never_missed and dice.random() < float(mess.missed_visit):
            self._miss(case, one, today, "did not come")
            return
        case.done.add(one.key)
        only_data = all(
            not activity.performs and not activity.decides and not activity.closes
            for activity in self._activities(encounter)
        )
        if only_data and dice.random() < float(mess.late_entry):
            low, high = mess.late_days
            when = today + timedelta(days=int(dice.integers(low, high + 1)))
            self.later.append((when, "enter late", case, (one, today)))
            return
        self.hold(case, one, today, today)

    def hold(self, case: Case, one: Planned, on: date, today: date) -> None:
        """Do what the protocol's activities say, dated `on`, entered today."""
        encounter = self.protocol.document.schedule.encounters[encounter_of(one.encounter)]
        case.done.add(one.key)
        interventions = self.protocol.document.interventions
        activities = self._activities(encounter)
        gives = any(activity.performs and interventions[activity.performs].product for activity in activities)
        self._timed = on if gives else None
        for activity in activities:
            if not self._act(case, activity, one, on, today):
                return
        participant = self.office.participant(case.identity)
        if not participant.screening_ended and one.key not in participant.visits:
            self.submit(c.HoldVisit(case.identity, one.encounter, str(on), one.record), "coordinator", today)

    def _activities(self, encounter: Encounter) -> list[Activity]:
        return [self.protocol.document.schedule.activities[name] for name in encounter.does]

    def _miss(self, case: Case, one: Planned, today: date, reason: str) -> None:
        case.done.add(one.key)
        self.submit(c.MissVisit(case.identity, one.encounter, str(today), reason, one.record), "coordinator", today)

    # ------------------------------------------------------------ activities

    def _act(self, case: Case, activity: Activity, one: Planned, on: date, today: date) -> bool:
        """Carry out an activity; False where the visit ends there."""
        for item in activity.asks:
            self._ask(case, item, "", on, today)
        for item in activity.partner:
            self._ask(case, item, "partner", on, today)
        for kind in activity.adds:
            self._add(case, kind, one, on, today)
        for kind, fields in activity.completes.items():
            self._complete(case, kind, fields, one, on, today)
        for name in activity.closes:
            self.submit(c.CloseList(case.identity, name, str(on)), "coordinator", today)
        if activity.performs:
            return self._perform(case, activity.performs, one, on, today)
        if activity.decides:
            return self._decide(case, activity.decides, one, on, today)
        return True

    def _ask(self, case: Case, name: str, person: str, on: date, today: date) -> None:
        item = self.protocol.vocabulary.items[name]
        model = self.model.document.relatives[person][name] if person else self.model.document.items[name]
        base = f"relatives.{person}.{name}" if person else f"items.{name}"
        names = self._since(case, on)
        value = case.woman.value(base, names)
        if isinstance(value, str) and value == NOTHING:
            return
        dated = f"{on}T08:00" if self._timed == on else str(on)
        attributes = {}
        for key in model.with_:
            drawn = case.woman.value(f"{base}.with.{key}", names)
            attributes[key] = as_text(item.attributes[key], drawn, 0)
        if isinstance(value, str) and value.startswith("not done"):
            command = c.Observe(case.identity, name, "", dated, person=person, not_done=value)
            self.submit(command, "coordinator", today)
            return
        text = self._date_text(base, value, on) if item.kind == "date" else as_text(item, value, model.decimals)
        normal = None
        if model.normal:
            low, _, high = model.normal.partition("..")
            unit = "" if item.unit.code == "1" and item.kind == "count" else f" {item.unit.code}"
            normal = (f"{low}{unit}", f"{high}{unit}")
        entered, reason = self._slipped(case, name, value, text, model.decimals)
        command = c.Observe(case.identity, name, entered, dated, attributes, person, normal)
        role = self.protocol.document.items[name].role or "coordinator"
        try:
            events = self.submit(command, role, today)
        except Refused as refused:  # an impossible slip is caught at entry, and mended at once
            if entered == text:
                raise
            self._count(refused)
            right = c.Observe(case.identity, name, text, dated, attributes, person, normal)
            events = self.submit(right, role, today)
            entered = text
        self._answer_queries(case, events, text if entered != text else "", reason, today)

    def _slipped(self, case: Case, name: str, value: Any, text: str, decimals: int) -> tuple[str, str]:
        for slip in self.model.document.mess.slips:
            if slip.item == name and case.woman.site_dice.random() < float(slip.probability):
                item = self.protocol.vocabulary.items[name]
                return as_text(item, float(value) * float(slip.factor), decimals), slip.reason
        return text, ""

    def _answer_queries(self, case: Case, events: list[Event], true: str, reason: str, today: date) -> None:
        queries = [str(event.payload["query"]) for event in events if event.type == e.QUERY_OPENED]
        if queries:
            slip = Slip(events[0].seq, true, reason) if true else None
            if self._timed == today:  # a dose rests on it
                self.answer_queries(case, queries, slip, today)
                return
            self.later.append((today + timedelta(days=1), "answer queries", case, (queries, slip)))

    def answer_queries(self, case: Case, queries: list[str], slip: Slip | None, today: date) -> None:
        """Look the value up in its source: correct it, or confirm it."""
        if slip is not None:
            values = {"value": slip.true}
            self.submit(c.Correct(case.identity, slip.event, values, slip.reason, str(today)), "coordinator", today)
        answer = f"corrected: {slip.reason}" if slip else "confirmed with the source"
        for query in queries:
            self.submit(c.CloseQuery(case.identity, query, answer, str(today)), "data manager", today)

    def _add(self, case: Case, kind: str, one: Planned, on: date, today: date) -> None:
        for index, model in enumerate(self.model.document.records.get(kind, ())):
            base = f"records.{kind}.{index}"
            names = {**self._since(case, on), **self._at_hand(case, one.record), **self._told_so_far(kind)}
            for _ in range(round(case.woman.number(f"{base}.count", names))):
                record, fields, dated = self._drawn(case, kind, base, model, names, on)
                parent = one.record if self.protocol.vocabulary.records[kind].parent else ""
                asked_later = self._completed_later(kind)
                now = {name: text for name, text in fields.items() if name not in asked_later}
                serious = kind == ADVERSE_EVENT and now.get("serious") == "yes"
                if serious:
                    now["aware"] = f"{today}T08:30"
                command = c.AddRecord(case.identity, kind, record, str(dated), now, parent)
                events = self.submit(command, "investigator" if kind == ADVERSE_EVENT else "coordinator", today)
                self._answer_queries(case, events, "", "", today)
                if serious:
                    self._report(case, record, today)
                if kind == ADVERSE_EVENT and case.woman.site_dice.random() < float(self.model.document.mess.note):
                    self._note(case, today)

    def _drawn(
        self, case: Case, kind: str, base: str, model: RecordModel, names: dict[str, Any], on: date
    ) -> tuple[str, dict[str, str], date]:
        """A record as nature makes it: identity, texts of its fields, date."""
        number = len(self.office.participant(case.identity).records.get(kind, {})) + 1
        identity = f"{kind}-{number}"
        names = {**names, **self._told_so_far(kind)}
        raw: dict[str, Any] = {"index": number}
        dated = _shifted(on, case.woman.number(f"{base}.days", {**names, **raw}), f"{base}.days")
        for name in model.hidden:
            raw[name] = case.woman.value(f"{base}.hidden.{name}", {**names, **raw})
        declared = self.protocol.vocabulary.records[kind].fields
        texts = {}
        for name, part in model.fields.items():
            raw[name] = case.woman.value(f"{base}.fields.{name}", {**names, **raw})
            if raw[name] != NOTHING:
                texts[name] = as_text(declared[name], raw[name], part.decimals)
        case.woman.records[kind, identity] = {**raw, "_texts": texts}
        self._so_far.update((kind, name) for name, value in raw.items() if value in (True, 1, "yes"))
        return identity, texts, dated

    def _told_so_far(self, kind: str) -> dict[str, Any]:
        """For each field of a kind in how many records of the trial it was true; and how many women were treated."""
        models = self.model.document.records.get(kind, ())
        names = {name for model in models for name in (*model.hidden, *model.fields)}
        treated = {who for women in self.office.trial().treated.values() for who in women}
        return {"treated_so_far": len(treated), **{f"so_far_{name}": self._so_far[kind, name] for name in names}}

    def _completed_later(self, kind: str) -> set[str]:
        activities = self.protocol.document.schedule.activities.values()
        return {name for activity in activities for name in activity.completes.get(kind, ())}

    def _complete(self, case: Case, kind: str, fields: tuple[str, ...], one: Planned, on: date, today: date) -> None:
        participant = self.office.participant(case.identity)
        for record, events in participant.records.get(kind, {}).items():
            if one.record and record != one.record and str(events[0].payload.get("parent") or "") != one.record:
                continue
            texts = case.woman.records[kind, record]["_texts"]
            told = {name: texts[name] for name in fields if name in texts}
            if told:
                command = c.CompleteRecord(case.identity, kind, record, str(on), told)
                self._answer_queries(case, self.submit(command, "coordinator", today), "", "", today)

    def _perform(self, case: Case, intervention: str, one: Planned, on: date, today: date) -> bool:
        document = self.protocol.document.interventions[intervention]
        kind = document.record
        names = {**self._since(case, on), **self._at_hand(case, one.record)}
        models = self.model.document.records.get(kind, (RecordModel(),))
        if kind in self.model.document.records:
            record, fields, _ = self._drawn(case, kind, f"records.{kind}.0", models[0], names, on)
        else:
            record, fields = f"{kind}-{len(self.office.participant(case.identity).records.get(kind, {})) + 1}", {}
            case.woman.records[kind, record] = {"_texts": {}}
        later = self._completed_later(kind)
        now = {name: text for name, text in fields.items() if name not in later}
        steps = tuple(document.steps)
        unit = ""
        try:
            if document.product:
                share = case.woman.number("prepared", names)
                unit = self.laboratory.prepare(case.identity, intervention, share, on, self._count)
                self.later += [(late.on, "late results", None, late) for late in self.laboratory.outstanding]
                self.laboratory.outstanding.clear()
                given = _given(self.protocol.vocabulary.records[kind].fields, now)
                told = {name: text for name, text in now.items() if name not in given}
                command = c.Perform(case.identity, intervention, record, f"{on}T10:00", told, one.record, steps, unit)
                events = self.submit(command, "investigator", today)
                self._infuse(case, unit, given, on)
            else:
                command = c.Perform(case.identity, intervention, record, str(on), now, one.record, steps)
                events = self.submit(command, "investigator", today)
                if document.doses:
                    self.serve(case, (intervention, record), today)
        except Refused as refused:
            if refused.findings[0].code.startswith(_OF_THE_MODEL):
                raise
            self._count(refused)
            code = refused.findings[0].code
            if unit:
                self.laboratory.discard(unit, says(refused.findings[0]), on)
            if code in _WAITS and today < one.latest:
                case.done.discard(one.key)
                case.days[one.key] = today + timedelta(days=1)
                return False
            self._miss(case, one, today, f"{intervention} refused: {code}")
            return False
        self._answer_queries(case, events, "", "", today)
        return True

    def serve(self, case: Case, course: tuple[str, str], today: date) -> None:
        """Tablets for a course of a regimen; while its plan goes on, the pharmacy looks again."""
        again = self.pharmacy.serve(case.identity, *course, today, case.woman.site_dice)
        if again is not None:
            self.later.append((again, "tablets", case, course))

    def _infuse(self, case: Case, unit: str, given: dict[str, str], on: date) -> None:
        """The course of an infusion: what went in, an interruption where it was not all, and its end."""
        volume = Decimal(self.office.trial().custody.units[unit].volume)
        infused = min(volume, Decimal(given.get("volume_infused", f"{volume} mL").split(" ")[0]))
        flush = given.get("flush_volume", "1 mL")
        reason = ""
        if infused < volume:
            left = f"{plain(volume - infused)} mL"
            reason = "resistance at the catheter"
            self.submit(c.InterruptInfusion(case.identity, unit, left, reason, f"{on}T10:12"), "investigator", on)
            if case.woman.site_dice.random() < 0.5:
                try:
                    self.submit(c.ResumeInfusion(case.identity, unit, f"{on}T10:20"), "investigator", on)
                    infused, reason = volume, ""
                except Refused as refused:
                    self._count(refused)
        end = c.EndInfusion(case.identity, unit, f"{plain(infused)} mL", f"{on}T10:30", flush, reason=reason)
        self.submit(end, "investigator", on)
        self.laboratory.account_for(unit, on)

    def _decide(self, case: Case, what: str, one: Planned, on: date, today: date) -> bool:
        try:
            match what:
                case "eligibility":
                    events = self.submit(c.ConfirmEligibility(case.identity, str(on)), "investigator", today)
                    if events[0].payload["verdict"] != "eligible":
                        answers = events[0].payload["answers"]
                        failing = _failing(self.protocol, answers if isinstance(answers, dict) else {})
                        self._end_screening(case, f"not eligible: {failing}", on, today)
                        return False
                case "enrolment":
                    self.submit(c.Enrol(case.identity, str(on)), "investigator", today)
                    self._plan_trouble(case, on)
                case _:
                    self._allocate(case, on, today)
        except Refused as refused:
            self._count(refused)
            code = refused.findings[0].code
            if code == "trial_paused" or (code == "not_eligible" and case.tries < 2):
                case.tries += code == "not_eligible"
                case.done.discard(one.key)
                case.days[one.key] = today + timedelta(days=7)
                return False
            reason = (
                "all places are taken"
                if code == "trial_full"
                else f"not decided: {refused.findings[0].values.get('criteria', code)}"
            )
            self._end_screening(case, reason, on, today)
            return False
        return True

    def _allocate(self, case: Case, on: date, today: date) -> None:
        document = self.protocol.document
        if document.allocation.method == "sealed list":
            events = self.submit(c.Allocate(case.identity, str(on)), "investigator", today)
            position = events[0].payload["position"]
            if self.sealed is not None and isinstance(position, int):
                case.woman.arm = self.sealed.arm(position)
            return
        arm, reason = next(iter(document.arms)), "single group"
        if len(document.arms) > 1:
            names = self._since(case, on)
            point = case.woman.site_dice.random()
            for arm in self.model.document.allocation:
                point -= case.woman.number(f"allocation.{arm}", names)
                if point < 0:
                    break
            else:
                arm = next(name for name in document.arms if name not in self.model.document.allocation)
            reason = self.model.document.allocation_reasons.get(arm, "shared decision")
        self.submit(c.Allocate(case.identity, str(on), arm, reason, USERS["investigator"]), "investigator", today)
        case.woman.arm = arm

    def _end_screening(self, case: Case, reason: str, on: date, today: date) -> None:
        self.submit(c.EndScreening(case.identity, reason, str(on)), "coordinator", today)

    # ------------------------------------------------------------ trouble

    def _plan_trouble(self, case: Case, enrolled: date) -> None:
        """What will go wrong with an enrolled woman, decided when she is enrolled."""
        mess, dice = self.model.document.mess, case.woman.site_dice
        rate = float(mess.withdrawal_per_year)
        if rate > 0:
            days = int(dice.exponential(365 / rate))
            if days < 365:
                self.later.append((enrolled + timedelta(days=days + 20), "withdraw", case, None))
        number = self.office.participant(case.identity).number
        for correction in mess.corrections:
            if correction.enrolled == number:
                self.later.append((enrolled + timedelta(days=correction.days), "correct late", case, correction))

    def withdraw(self, case: Case, today: date) -> None:
        """She withdraws, unless her part has ended by itself."""
        if not self.office.participant(case.identity).withdrawn:
            command = c.Withdraw(case.identity, "withdrew consent to further visits", str(today))
            self.submit(command, "investigator", today)

    def correct_late(self, case: Case, item: str, value: str, reason: str, today: date) -> None:
        """A transcription error comes to light after enrolment."""
        observed = self.office.participant(case.identity).observed.get(item)
        if observed:
            command = c.Correct(case.identity, observed[-1].seq, {"value": value}, reason, str(today))
            self._answer_queries(case, self.submit(command, "data manager", today), "", "", today)

    def _report(self, case: Case, record: str, today: date) -> None:
        """A serious event: reported today, judged tomorrow, closed when it is over."""
        self.desk.receive(case.identity, record, today, case.woman.site_dice)
        for what, days in (("judge", JUDGED), ("hear", OPINION), ("close", CLOSED)):
            self.later.append((today + timedelta(days=days), what, case, record))

    def review(self, alert: str, today: date) -> None:
        """The safety board looks at what paused the trial, or asked for a review."""
        found = self.office.trial().alerts[alert]
        decision = "modify" if found.trigger == PRODUCT else self.model.document.safety.review
        reason = (
            "virtual review: the lot is out of use, the others go on"
            if found.trigger == PRODUCT
            else ("virtual review: the balance of benefit and risk is unchanged")
        )
        self.submit(c.ReviewTrigger(alert, decision, reason, str(today)), "safety board", today)

    def _note(self, case: Case, today: date) -> None:
        key = self.keys.key(case.identity)
        if key is not None:
            nonce = case.woman.site_dice.bytes(12)
            text = encrypt(key, "Virtual note: she was called back the next day and felt well.", nonce)
            self.submit(c.Note(case.identity, text, str(today)), "coordinator", today)

    # ------------------------------------------------------------ what formulas may know

    def _since(self, case: Case, on: date) -> dict[str, Any]:
        """Days since each anchor, -1 where it is not reached; whether she was given the product, and is pregnant."""
        participant = self.office.participant(case.identity)
        placed = participant.allocation is not None
        state = (on, participant.consented, participant.enrolled, placed, len(participant.performed))
        if case.since[0] == state:
            return case.since[1]
        names: dict[str, Any] = {}
        for name in self.protocol.document.schedule.anchors:
            reached = anchor_date(self.protocol, participant, name)
            names[f"since_{name}"] = (on - reached.earliest.date()).days if reached else -1
        product = {one.record for one in self.protocol.document.interventions.values() if one.product}
        names["expecting"] = int(expecting(self.protocol, case.woman, participant, on))
        names["treated"] = int(any(participant.records.get(kind) for kind in product))
        case.since = (state, names)
        return names

    def _at_hand(self, case: Case, record: str) -> dict[str, Any]:
        """The raw values of the record that a visit is for."""
        for (_, identity), raw in case.woman.records.items():
            if record and identity == record:
                return {name: value for name, value in raw.items() if name != "_texts"}
        return {}

    def _date_text(self, path: str, value: Any, on: date) -> str:
        return value if isinstance(value, str) else str(_shifted(on, value, path))

    def _count(self, refused: Refused) -> None:
        for found in refused.findings:
            self.refusals[found.code] = self.refusals.get(found.code, 0) + 1


_OPEN = ("future", "due", "late", "undecided")


def _told(on: str) -> datetime:
    """The moment that something is dated, where it is dated to the minute: nothing is recorded before it happened."""
    told = partial_date(on)
    return told.latest if told.earliest == told.latest else datetime.min


def _shifted(day: date, days: Any, path: str) -> date:
    try:
        return day + timedelta(days=round(float(days)))
    except (TypeError, ValueError, OverflowError) as wrong:
        why = f"{days} is no number of days that leads to a date"
        raise Refused(finding("formula_fails", Where(FILE, path=path), path=path, text=days, why=why)) from wrong


def _given(fields: Mapping[str, object], drawn: dict[str, str]) -> dict[str, str]:
    """What of a drawn infusion the unit tells, and nobody enters by hand."""
    return {name: drawn[name] for name in ("volume_infused", "flush_volume") if name in fields and name in drawn}


def _failing(protocol: Protocol, answers: dict[str, Any]) -> str:
    wrong = {"inclusion": "no", "exclusion": "yes"}
    return ", ".join(one.name for one in protocol.criteria if answers.get(one.name) == wrong[one.kind])
