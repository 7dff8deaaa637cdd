"""The protocol document: what may stand in `protocol.yaml`, as frozen models.

Terms are those of CDISC USDM and ICH M11 where they have one. The JSON Schema of this document is published as
`docs/protocol.schema.json`, so that an editor completes and checks it.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from trialwright.core import units
from trialwright.core.interval import number


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _as_label(value: object) -> object:
    return {"en": value} if isinstance(value, str) else value


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _a_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as wrong:
        raise ValueError(f"“{name}” is no IANA time zone such as Asia/Shanghai") from wrong
    return name


Quotes: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_as_list, json_schema_input_type=str | tuple[str, ...])]
Names: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_as_list, json_schema_input_type=str | tuple[str, ...])]
Words: TypeAlias = Annotated[str, BeforeValidator(_as_text, json_schema_input_type=str | int)]


class Part(BaseModel):
    """A piece of the document: frozen, and nothing unknown may stand in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class LabelText(Part):
    """How a thing is called, by language."""

    en: str
    zh: str = ""


Label: TypeAlias = Annotated[LabelText, BeforeValidator(_as_label, json_schema_input_type=str | LabelText)]


class Quoting(Part):
    """A piece that executes words of the record, and the assumptions it rests on."""

    quotes: Quotes = Field(default=(), alias="from", description="The record's own words that this executes.")
    assumes: Names = Field(default=(), description="Assumptions that this rests on.")


class Design(Quoting):
    """How the trial is structured (USDM StudyDesign)."""

    study_type: Literal["interventional", "observational"] = "interventional"
    intervention_model: Literal["single group", "parallel", "crossover", "factorial", "sequential"]
    allocation: Literal["not applicable", "randomised", "non-randomised"]
    masking: Literal["none", "single", "double", "triple", "quadruple"] = "none"
    purpose: str = ""
    phase: str = ""
    enrolment: int = Field(gt=0)


class Assumption(Part):
    """A silence or ambiguity of the record: what was chosen, why and by what source, or who must decide."""

    silent: str = Field(description="What the record does not say, or says in two ways.")
    quotes: Quotes = Field(default=(), alias="from")
    choice: str = Field(default="", description="What this protocol does. Without one the question is open.")
    options: dict[str, str] = Field(default_factory=dict, description="The answers that may be given.")
    source: str = ""
    decides: str = Field(default="", description="Who decides, where the question is open.")
    blocks: Names = Field(default=(), description="Actions refused until the question is answered.")
    unit: str = Field(default="", description="Unit of the answer, where it is an expression for a dose.")


ItemIs: TypeAlias = Literal["quantity", "count", "yes_no", "attestation", "date", "age"] | list[str]


class ItemPart(Quoting):
    """One thing that is asked, measured or judged (USDM BiomedicalConcept)."""

    is_: ItemIs = Field(alias="is")
    label: Label
    unit: Words = ""
    from_item: str = Field(default="", alias="born", description="For an age: the date item it counts from.")
    attributes: dict[str, str] = Field(
        default_factory=dict, alias="with", description="Recorded with each observation: name to kind."
    )
    valid: str = Field(default="", description="How long a result stays valid, as in `6 months`.")
    absent: str = Field(default="", description="`no in LIST`: with that list closed, nothing recorded means no.")
    plausible: str = Field(default="", description="Outside it a query is raised, as in `0.01..15`.")
    possible: str = Field(default="", description="Outside it the value is refused.")
    molar_mass: str = ""
    loinc: str = ""
    cdisc: str = ""
    cost: str = Field(default="", pattern=r"^(\d+(\.\d+)? \S+)?$", description="What asking costs, as `8 EUR`.")
    fails: Words = Field(default="", pattern=r"^(0(\.\d+)?|1)?$", description="How often it alone ends a screening.")
    role: str = Field(default="", description="Who may answer, where only a person can judge.")


class LaboratoryCheck(Quoting):
    """What the laboratory reads of a record at one time: its fields, after how many hours, and on what condition."""

    label: Label
    fields: Names
    at: str = Field(default="", pattern=r"^([1-9]\d{0,3} h)?$", description="Hours on the clock of the record: `17 h`.")
    window: tuple[int, int] = Field(default=(0, 0), description="Hours before and after that are in time.")
    if_: str = Field(default="", alias="if", description="A condition on the record; no means that it is not asked.")

    @model_validator(mode="after")
    def _can_be_in_time(self) -> LaboratoryCheck:
        if self.window[0] > 0 or self.window[1] < 0:
            raise ValueError(f"the window {list(self.window)} does not hold the hour itself, as [-1, 1] does")
        if self.window != (0, 0) and not self.at:
            raise ValueError("a window needs an hour that it lies around, as `at: 17 h`")
        return self


class RecordPart(Quoting):
    """A kind of record that repeats: what belongs to it, and what it belongs to."""

    label: Label
    of: str = ""
    items: Names = ()
    fields: dict[str, ItemPart] = Field(default_factory=dict)
    clock: str = Field(
        default="", description="The date field from which the hours of its checks count; else its date."
    )
    checks: dict[str, LaboratoryCheck] = Field(
        default_factory=dict, description="What the laboratory reads of it, and when: it then has a grid there."
    )


class DerivationPart(Quoting):
    """A value computed from recorded ones, at the reference time of whoever asks."""

    is_: str = Field(alias="is")
    of: str = ""
    unit: str = ""
    label: Label = Field(default_factory=lambda: LabelText(en=""))


class Criterion(Quoting):
    """One eligibility criterion, with the record's own words beside the rule (USDM EligibilityCriterion)."""

    rule: str = ""
    attest: str = Field(default="", description="The item of type attestation that answers it.")
    missing: str = Field(default="", description="The open question that stands for lost words.")


class Population(Part):
    """Who may enter the trial."""

    inclusion: dict[str, Criterion]
    exclusion: dict[str, Criterion]


class Arm(Quoting):
    """One arm (USDM StudyArm): its label and what it gives."""

    label: Label
    type: Literal["experimental", "active comparator", "no intervention", "placebo comparator", "other"] = (
        "experimental"
    )
    gives: Names = ()


class Allocation(Quoting):
    """How participants come into arms."""

    method: Literal["single group", "clinical choice", "sealed list"]


class Requirement(Quoting):
    """A condition without which an action is refused."""

    rule: str
    says: str
    arms: Names = Field(default=(), description="Asked only of participants in these arms; of everybody where empty.")
    later: bool = Field(
        default=False, description="May be outstanding: a release is then conditional, till it is known."
    )


class Dosing(Quoting):
    """One line of a regimen: drug, dose, interval and days of the cycle."""

    drug: str
    dose: str
    every: str = Field(pattern=r"^(1|2|3|4|6|8|12|24|48|72|168) h$", description="How far apart, as `12 h`.")
    days: str = Field(pattern=r"^[1-9]\d*(\.\.[1-9]\d*)?$", description="Days of the course, as `1..28`.")
    strength: str = Field(default="", description="Of one tablet, as `1 mg`.")

    @model_validator(mode="after")
    def _can_be_counted(self) -> Dosing:
        first, _, last = self.days.partition("..")
        if int(last or first) < int(first):
            raise ValueError(f"the days {self.days} end before they begin")
        if self.strength:
            strength, dose = quantity(self.strength), quantity(self.dose)
            if strength is None:
                raise ValueError(f"the strength {self.strength} is no number above 0 with a unit, as in `1 mg`")
            if dose is not None and not units.same_dimension(dose.unit, strength.unit):
                raise ValueError(f"a dose of {self.dose} cannot be counted in tablets of {self.strength}")
        return self


def quantity(text: str) -> units.Quantity | None:
    """A dose or a strength, as `3 mg`; None where it is not one amount above 0, as `100 mg or 5 mg`.

    >>> print(quantity("3 mg"), quantity("100 mg or 5 mg"))
    3 mg None
    """
    value, unit = number(text.partition(" ")[0]), units.unit(text.partition(" ")[2])
    return None if value is None or value <= 0 or unit is None else units.Quantity(value, unit)


class Continuation(Quoting):
    """How a regimen goes on after a transfer: it stops with a negative test, and else to a gestational age.

    While the test is not known it goes on.
    """

    record: str = Field(description="The record kind that the regimen is continued for.")
    positive: str = Field(description="A condition on such a record: the test was positive.")
    until: int = Field(gt=0, description="Gestational day to which it goes on after a positive test.")
    age: str = Field(description="Gestational days on the day of the record, as in `14 + embryo_day`.")
    ends: str = Field(default="", description="A condition on such a record: the pregnancy has ended.")


class Step(Quoting):
    """One step of a procedure, in its order."""

    says: str
    fields: Names = ()


class Intervention(Quoting):
    """What is given or done (USDM StudyIntervention): a regimen, a procedure, or the giving of a product."""

    label: Label
    kind: Literal["regimen", "procedure"]
    record: str = Field(description="The record kind that says when it was done.")
    doses: tuple[Dosing, ...] = ()
    continues: Continuation | None = Field(default=None, description="How a regimen goes on after a transfer.")
    product: str = ""
    dose: str = Field(default="", description="An expression: how much, from what is known of the participant.")
    dose_question: str = Field(default="", description="The open question whose answer is the dose.")
    dose_unit: str = ""
    basis: Literal["viable", "total"] = Field(default="viable", description="Which cells the dose counts.")
    volume: str = Field(default="", description="The fixed volume in which the dose is given, as `15 mL`.")
    dead_space: str = Field(default="", description="What stays in the catheter unless it is flushed, as `0.5 mL`.")
    duration: str = Field(default="", description="How long it is planned to take, as `30 min`.")
    most: int = Field(
        default=0, ge=0, description="How often it may be given to a participant; 0 where nothing limits it."
    )
    restart: str = Field(default="", description="How long after an interruption it may be taken up, as `30 min`.")
    tolerance: tuple[Words, Words] | None = Field(default=None, description="Least and greatest ratio to plan.")
    requires: tuple[Requirement, ...] = ()
    steps: dict[str, Step] = Field(default_factory=dict)
    observe: str = Field(default="", description="How long the participant is observed afterwards.")


class DonorPart(Quoting):
    """What is tested of a donor, and what must hold before anything of hers is used, and before a lot is released."""

    items: dict[str, ItemPart] = Field(description="What a donor is tested for.")
    accept: tuple[Requirement, ...] = Field(description="What must certainly hold before she is accepted.")
    retest: tuple[Requirement, ...] = Field(default=(), description="Until these hold, her lots stay in quarantine.")


class UnitPart(Quoting):
    """What is tested of the unit that is prepared for one participant, and what must hold before it is released."""

    items: dict[str, ItemPart] = Field(
        default_factory=dict,
        description="`volume`, `viability`, `total_cells` and `viable_cells` are filled from its preparation.",
    )
    recipient: dict[str, str] = Field(
        default_factory=dict, description="Items filled when it is ordered, each by an expression about the recipient."
    )
    release: tuple[Requirement, ...] = Field(default=(), description="What a unit must certainly meet.")


class Product(Quoting):
    """An administrable product, and what donor, lot and unit of it must pass before release."""

    label: Label
    donor: DonorPart | None = Field(default=None, description="What donors must meet.")
    items: dict[str, ItemPart]
    release: tuple[Requirement, ...]
    unit: UnitPart = Field(default=UnitPart(), description="What a unit for one participant must meet.")
    identifier: str = Field(default="", description="The item that identifies a recipient beside her pseudonym.")
    transport: str = Field(default="", description="Temperatures between which a unit may travel, as `2..8 Cel`.")


class Anchor(Quoting):
    """One event in time that others are counted from."""

    event: str = Field(default="", description="consent, enrolment or allocation.")
    record: str = Field(default="", description="The kind of record whose date it is.")
    item: str = Field(default="", description="The date item whose first answer it is.")
    less: str = Field(
        default="", description="Days to go back from the record, an expression: `14 + embryo_day`; `-195` goes on."
    )
    choose: Literal["first", "second", "last"] = "first"


class Activity(Quoting):
    """What is done at an encounter (USDM Activity)."""

    asks: Names = Field(default=(), description="Items.")
    partner: Names = Field(default=(), description="Items of the partner.")
    adds: Names = Field(default=(), description="Kinds of record.")
    completes: dict[str, Names] = Field(default_factory=dict, description="Fields of records made earlier.")
    closes: Names = Field(default=(), description="Lists that are complete after it.")
    performs: str = Field(default="", description="An intervention.")
    decides: Literal["", "eligibility", "enrolment", "allocation"] = ""


class Encounter(Quoting):
    """A visit (USDM Encounter): when, how far from it, on what condition, and what is done."""

    epoch: str
    label: Label
    at: str = Field(description="An anchor, or `12 days after transfer`.")
    each: tuple[int, ...] = Field(default=(), description="Repeats: `at: months after infusion` with [1, 3, 6].")
    per: str = Field(default="", description="One encounter per record of this kind, counted from its date.")
    window: tuple[int, int] = Field(default=(0, 0), description="Days before and after that are in time.")
    if_: str = Field(default="", alias="if")
    arms: Names = ()
    answer: dict[str, str] = Field(default_factory=dict, description="Only where open questions were answered so.")
    does: Names


class Schedule(Part):
    """The trial in time (USDM ScheduleTimeline)."""

    anchors: dict[str, Anchor]
    epochs: dict[str, Label]
    encounters: dict[str, Encounter]
    activities: dict[str, Activity]
    follow_up: str = Field(description="When a participant's part ends, as in `365 days after allocation`.")


class EditCheck(Part):
    """What must hold of recorded values; where it does not, a query is raised."""

    rule: str
    says: str
    of: str = ""


class Trigger(Quoting):
    """A condition on a record that pauses the trial until it is reviewed, or asks for a review without a pause."""

    of: str = Field(description="The kind of record.")
    rule: str = Field(description="The condition.")
    unless: str = Field(default="", description="A condition that, where it certainly holds, makes it not count.")
    says: str = Field(description="The same in a sentence, for the alert.")
    action: Literal["pause", "review"] = "pause"


class BoundaryPart(Quoting):
    """The Bayesian boundary: the trial pauses when the posterior of a rate above `p0` is larger than `threshold`."""

    rule: str = Field(description="A condition on an adverse event: it counts.")
    intervention: str = Field(description="Whoever had it is at risk.")
    prior: tuple[Words, Words] = Field(description="Beta prior: events, no events.")
    p0: Words = Field(description="The rate that is still acceptable.")
    threshold: Words = Field(description="The posterior probability above which it pauses.")


class Sentinel(Quoting):
    """The first so many participants are treated at least so many days apart."""

    intervention: str = Field(description="Whoever has it is counted.")
    first: int = Field(gt=0, description="How many participants.")
    days: int = Field(gt=0, description="Least number of days between two of them.")


class SafetyPolicy(Quoting):
    """How adverse events are collected, graded and reported, and which rules pause the trial."""

    grading: str
    terms: dict[str, str] = Field(
        default_factory=dict, description="Term of the record to the term of the grading pack by which it is graded."
    )
    collected: str
    planned_admission: str = ""
    not_serious: Names = ()
    expected: dict[str, Names] = Field(
        default_factory=dict, description="Intervention to the terms that are expected after it."
    )
    clocks: Names = Field(default=(), description="Rule packs of expedited reporting.")
    file_pregnancies: bool = Field(default=False, description="Whether this site files pregnancies as serious.")
    triggers: dict[str, Trigger] = Field(
        default_factory=dict, description="What pauses the trial or asks for a review."
    )
    boundary: BoundaryPart | None = Field(default=None, description="The Bayesian boundary.")
    sentinel: Sentinel | None = Field(default=None, description="Spacing of the first participants.")


class PregnancyPart(Quoting):
    """Where the protocol records what becomes of a transfer: field by field, in its own names.

    `endings` maps the categories of the protocol's outcome to `live_birth`, `loss`, `ectopic` or `termination`.
    """

    record: str = Field(description="The record kind of a transfer.")
    fields: dict[str, str] = Field(description="What is asked of a pregnancy, to the field that holds it.")
    endings: dict[str, str] = Field(default_factory=dict, description="Categories of its outcome, to how it ended.")
    children: str = Field(default="", description="The record kind of a child, a part of the record.")


class Objective(Quoting):
    """What the trial wants to know, and the endpoints that answer it (USDM Objective)."""

    level: Literal["primary", "secondary", "exploratory"]
    says: str
    endpoints: Names


class Endpoint(Quoting):
    """What is measured on each participant to answer an objective (USDM Endpoint).

    Exactly one of `proportion`, `ratio` and `change` says how.
    """

    label: Label
    proportion: str = Field(default="", description="A condition: yes, no, or unknown (missing).")
    ratio: tuple[str, str] | None = Field(default=None, description="Numerator and denominator, counts per woman.")
    change: tuple[str, str] | None = Field(default=None, description="Value after, value before.")
    units: tuple[str, str] = Field(default=("participants", "participants"), description="What is counted.")
    at: str = Field(default="", description="The anchor at which it is asked; else the day of the report.")
    set: str = Field(description="The analysis set.")
    remeasured: tuple[str, str] | None = Field(
        default=None,
        description="Of a change: the value measured again before treatment, and the one at screening. What lies "
        "between them came without treatment: regression to the mean.",
    )
    definition: str = ""
    missing: str = Field(
        default="",
        description="Where this certainly holds her value is missing, whatever was recorded: an intercurrent event.",
    )
    unknown: Literal["missing", "no event so far"] = Field(
        default="missing", description="What an answer means that is still unknown on the day of the report."
    )


class IntercurrentEvent(Part):
    """Something after treatment starts that changes what the endpoint means, and how it is handled (ICH E9(R1))."""

    event: str
    strategy: str


class Estimand(Quoting):
    """What is to be estimated, by the attributes of ICH E9(R1)."""

    endpoint: str
    population: str
    treatment: str
    variable: str
    intercurrent: tuple[IntercurrentEvent, ...] = ()
    summary: str


class AnalysisSet(Part):
    """Who is analysed: whoever has reached an anchor, was given what her arm gives of `given`, and did not deviate."""

    reached: str = Field(description="The anchor that a member has reached.")
    given: Names = Field(default=(), description="Interventions that a member had, where her arm gives them.")
    without: Literal["", "major deviations"] = Field(default="", description="What keeps somebody out.")


def _as_set(value: object) -> object:
    return {"reached": value} if isinstance(value, str) else value


SetPart: TypeAlias = Annotated[AnalysisSet, BeforeValidator(_as_set, json_schema_input_type=str | AnalysisSet)]


class FunnelStep(Part):
    """One step from what was retrieved to what was born: a count per participant, added up over the set."""

    label: Label
    count: str


class Funnel(Part):
    """How many were left at each step, of what and of whom."""

    set: str = Field(description="The analysis set.")
    steps: dict[str, FunnelStep]


class Analysis(Part):
    """Which estimator answers which endpoint, over which set, beside which sensitivity analyses."""

    sets: dict[str, SetPart] = Field(description="Name to the anchor that a member has reached, or more.")
    baseline: Names
    methods: dict[str, str] = Field(description="Endpoint to estimator.")
    sensitivity: dict[str, Names] = Field(default_factory=dict)
    covariates: Names = ()
    compare: tuple[str, str] | None = Field(default=None, description="Experimental arm and control arm.")
    multiplicity: Literal["none", "holm", "hochberg", "hommel"] = Field(
        default="none",
        description="How p values of the first comparison of each secondary endpoint are adjusted; one that could not "
        "be estimated counts as 1.",
    )
    pooled: dict[str, str] = Field(
        default_factory=dict,
        description="Endpoint whose pooled denominator may ignore that its members are clustered in participants, "
        "and the reason, which the report prints.",
    )
    funnel: Funnel | None = Field(default=None, description="From what was retrieved to what was born.")


class OpenWords(Part):
    """Words of the record that raise a question nobody has answered."""

    quotes: Quotes = Field(alias="from")
    question: str


class Coverage(Part):
    """Words of the record that execute nothing: described, open, or furniture of the page."""

    described: Quotes = ()
    furniture: Quotes = ()
    open: tuple[OpenWords, ...] = ()


class Document(Part):
    """A whole protocol."""

    trial: str
    version: Words
    title: str
    record: str = "record.txt"
    sponsor: Label
    sites: dict[str, Label]
    zone: Annotated[str, AfterValidator(_a_zone)] = Field(description="IANA time zone of local times.")
    design: Design
    assumptions: dict[str, Assumption] = Field(default_factory=dict)
    objectives: dict[str, Objective]
    items: dict[str, ItemPart]
    relatives: dict[str, Names] = Field(default_factory=dict)
    records: dict[str, RecordPart] = Field(default_factory=dict)
    value_sets: dict[str, Names] = Field(default_factory=dict)
    derivations: dict[str, DerivationPart] = Field(default_factory=dict)
    population: Population
    arms: dict[str, Arm]
    allocation: Allocation
    interventions: dict[str, Intervention]
    products: dict[str, Product] = Field(default_factory=dict)
    schedule: Schedule
    edit_checks: dict[str, EditCheck] = Field(default_factory=dict)
    safety: SafetyPolicy
    pregnancy: PregnancyPart | None = Field(default=None, description="Where outcomes of pregnancies are recorded.")
    endpoints: dict[str, Endpoint]
    estimands: dict[str, Estimand] = Field(default_factory=dict)
    analysis: Analysis
    coverage: Coverage = Coverage()
