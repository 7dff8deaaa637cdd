"""The rehearsal model: `rehearsal.yaml`, read into frozen parts, every formula checked before a woman is drawn."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from math import isfinite
from pathlib import Path as FilePath
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from trialwright.core.finding import Finding, Refused, Where, finding, unreadable
from trialwright.protocol.beside import Beside, Marks, parts_of
from trialwright.protocol.marked_yaml import Path
from trialwright.protocol.naming import nearest
from trialwright.protocol.protocol import Protocol
from trialwright.protocol.protocol import where as place
from trialwright.rehearsal.formula import Formula, formula

FILE = "rehearsal.yaml"
_BESIDE = Beside(FILE, "docs/verbs/rehearse.md")


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_formula(value: object) -> object:
    return {"is": str(value)} if isinstance(value, str | int) and not isinstance(value, bool) else value


def _a_number(text: str) -> str:
    try:
        finite = isfinite(float(text))
    except ValueError:
        finite = False
    if not finite:
        raise ValueError(f"“{text}” is not a number")
    return text


def _a_probability(text: str) -> str:
    if not 0 <= float(text) <= 1:
        raise ValueError(f"{text} is no probability, which is from 0 to 1")
    return text


def _a_rate(text: str) -> str:
    if float(text) < 0:
        raise ValueError(f"{text} is no rate, which is not below 0")
    return text


def _a_pace(text: str) -> str:
    if not 0.001 <= float(text) <= 10_000:
        raise ValueError(f"{text} is not between 0.001 and 10,000")
    return text


def _a_day(text: str) -> str:
    day = date.fromisoformat(text)
    if not 1950 <= day.year <= 2150:
        raise ValueError(f"{text} is not between 1950 and 2150")
    return day.isoformat()


def _in_order(days: tuple[int, int]) -> tuple[int, int]:
    if not 0 <= days[0] <= days[1]:
        raise ValueError(f"{days[0]} to {days[1]} is no span of days")
    return days


Words: TypeAlias = Annotated[str, BeforeValidator(_as_text)]
Number: TypeAlias = Annotated[Words, AfterValidator(_a_number)]
Probability: TypeAlias = Annotated[Number, AfterValidator(_a_probability)]


class Part(BaseModel):
    """A piece of the model: frozen, and nothing unknown may stand in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class FormulaPart(Part):
    """A formula with its source, or marked as an assumption."""

    is_: Words = Field(alias="is")
    source: str = ""
    decimals: int = 2


FormulaText: TypeAlias = Annotated[FormulaPart, BeforeValidator(_as_formula)]


class AnswerPart(Part):
    """The answer that a rehearsal gives to an open question, and why."""

    answer: Words
    why: str


class ParameterPart(Part):
    """A number of the model with its source; `scenarios` replaces it in some of them."""

    value: Number
    source: str
    scenarios: dict[str, Number] = Field(default_factory=dict)


class RecordModel(Part):
    """How many records of a kind come into being, how many days from the visit they are dated, and their fields."""

    count: FormulaText = FormulaPart(is_="1")
    days: FormulaText = FormulaPart(is_="0")
    hidden: dict[str, FormulaText] = Field(default_factory=dict, description="What nature knows and nobody records.")
    fields: dict[str, FormulaText] = Field(default_factory=dict)


def _as_records(value: object) -> object:
    return [value] if isinstance(value, dict) else value


RecordModels: TypeAlias = Annotated[tuple[RecordModel, ...], BeforeValidator(_as_records)]


class ItemModel(Part):
    """How an item is answered: its value, its attributes, its reference range."""

    is_: Words = Field(alias="is")
    with_: dict[str, FormulaText] = Field(default_factory=dict, alias="with")
    normal: str = ""
    decimals: int = 1
    source: str = ""


ItemText: TypeAlias = Annotated[ItemModel, BeforeValidator(_as_formula)]


class Slip(Part):
    """A unit slip: an item entered wrongly by a factor, with a probability."""

    item: str
    factor: Number
    probability: Probability
    reason: str
    source: str = ""


class LateCorrection(Part):
    """A correction after enrolment that turns a woman who was found eligible into one who was not."""

    enrolled: int = Field(description="Which enrolled woman, by number.")
    days: int
    item: str
    value: str
    reason: str


class Mess(Part):
    """What goes wrong in every real trial."""

    missed_visit: Probability = "0"
    never_missed: tuple[str, ...] = ()
    late_entry: Probability = "0"
    late_days: Annotated[tuple[int, int], AfterValidator(_in_order)] = (2, 9)
    withdrawal_per_year: Annotated[Number, AfterValidator(_a_rate)] = "0"
    slips: tuple[Slip, ...] = ()
    corrections: tuple[LateCorrection, ...] = ()
    note: Probability = "0"


class DonorModel(Part):
    """The tests of a donor, at donation and again, and how many lots are made from one."""

    results: dict[str, FormulaText] = Field(description="Results at donation.")
    retest: dict[str, FormulaText] = Field(default_factory=dict, description="Results three months later.")
    tissue: str = Field(default="tissue", description="What was given.")
    lots: int = Field(default=10, gt=0, description="Lots made from one donor.")


class LotModel(Part):
    """Test results of a product lot, those that come later, and of the units that are prepared from it."""

    results: dict[str, FormulaText]
    later: dict[str, FormulaText] = Field(default_factory=dict, description="Results that come when it is in use.")
    later_days: int = Field(default=14, description="Days after the release until they come.")
    units: int = Field(default=1, gt=0, description="Most units that are prepared from one lot.")
    donor: DonorModel | None = Field(default=None, description="Where lots come from.")
    hold_hours: Words = Field(
        default="", description="Hours that it keeps after thawing; without them nothing is given."
    )
    hold_report: str = Field(default="virtual validation report", description="The report that shows it.")
    unit: dict[str, FormulaText] = Field(default_factory=dict, description="Results of a unit.")
    viability: FormulaText = Field(default=FormulaPart(is_="90"), description="Living share of a unit, in percent.")
    volume: str = Field(default="50 mL", description="Volume of a unit, where the protocol fixes none.")
    coldest: FormulaText = Field(default=FormulaPart(is_="4"), description="Lowest temperature on the way, in Celsius.")
    warmest: FormulaText = Field(
        default=FormulaPart(is_="6"), description="Highest temperature on the way, in Celsius."
    )


class SafetyModel(Part):
    """How adverse events are handled: who is told when, and how the board decides."""

    report_hours: FormulaText = Field(
        default=FormulaPart(is_="12"), description="Hours from awareness to a report, with `related` and `serious`."
    )
    review_days: int = Field(default=5, description="Days until the safety board reviews an alert.")
    review: str = Field(default="continue", description="What the board decides.")


class ModelDocument(Part):
    """A whole rehearsal model."""

    start: Annotated[str, AfterValidator(_a_day)]
    site: str
    women_per_week: Annotated[Number, AfterValidator(_a_pace)]
    consent_version: Words = "1"
    answers: dict[str, AnswerPart] = Field(default_factory=dict)
    scenario: str
    scenarios: dict[str, str]
    parameters: dict[str, ParameterPart]
    latent: tuple[str, ...] = ()
    correlations: dict[str, Number] = Field(default_factory=dict)
    woman: dict[str, FormulaText]
    keep: str = ""
    allocation: dict[str, FormulaText] = Field(default_factory=dict)
    allocation_reasons: dict[str, str] = Field(default_factory=dict)
    items: dict[str, ItemText]
    relatives: dict[str, dict[str, ItemText]] = Field(default_factory=dict)
    records: dict[str, RecordModels] = Field(default_factory=dict)
    lots: dict[str, LotModel] = Field(default_factory=dict)
    safety: SafetyModel = Field(default=SafetyModel(), description="How events are handled.")
    prepared: FormulaText = FormulaPart(is_="1")
    visits: dict[str, FormulaText] = Field(default_factory=dict, description="Days from the planned day.")
    mess: Mess = Mess()


@dataclass(frozen=True, slots=True)
class Model:
    """A model ready to draw from: the document, and every formula of it by its dotted path."""

    document: ModelDocument
    formulas: Mapping[str, Formula]
    content: bytes

    def parameters(self, scenario: str) -> dict[str, float]:
        """The parameters of a scenario."""
        return {
            name: float(part.scenarios.get(scenario, part.value)) for name, part in self.document.parameters.items()
        }


def load_model(
    protocol: Protocol, folder: str | FilePath, scenario: str = "", answers: Mapping[str, str] | None = None
) -> Model:
    """The rehearsal model beside a protocol; `Refused` with everything that is wrong with it.

    `answers` replaces answers of the model to open questions.
    """
    file = FilePath(folder) / FILE
    try:
        content = file.read_bytes()
        text = content.decode("utf-8")
    except FileNotFoundError as wrong:
        raise Refused(finding("rehearsal_missing", path=file)) from wrong
    except (OSError, UnicodeDecodeError) as wrong:
        raise Refused(finding("file_unreadable", path=file, why=unreadable(wrong))) from wrong
    document, marks = parts_of(ModelDocument, text, _BESIDE)
    asked = [*_asked("--scenario", [scenario] if scenario else [], document.scenarios, f"scenarios of {FILE}")]
    asked += _asked("--answer", answers or {}, _open_questions(protocol), "open questions of the protocol")
    if asked:
        raise Refused(*asked)
    for question, answer in (answers or {}).items():
        given = AnswerPart(answer=answer, why="given on the command line")
        document = document.model_copy(update={"answers": {**document.answers, question: given}})
    findings = list(_unknown_names(protocol, document, marks))
    formulas: dict[str, Formula] = {}
    for path, part in _formulas(document, ()):
        try:
            formulas[".".join(map(str, path))] = formula(part, place(marks, path, FILE))
        except Refused as refused:
            findings.extend(refused.findings)
    if findings:
        raise Refused(*findings)
    return Model(document, formulas, content)


def _formulas(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, FormulaPart | ItemModel):
        yield path, value.is_
    if isinstance(value, ModelDocument) and value.keep:
        yield ("keep",), value.keep
    if isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            yield from _formulas(getattr(value, name), (*path, info.alias or name))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _formulas(inner, (*path, key))
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _formulas(inner, (*path, index))


def _asked(option: str, given: Iterable[str], known: Collection[str], what: str) -> Iterator[Finding]:
    """A finding for each name that somebody asked for and there is not."""
    for name in given:
        if name not in known:
            listed = ", ".join(known) or "there is none"
            yield finding(
                "choice_unknown", option=option, given=name, what=what, known=listed, nearest=nearest(name, known)
            )


def _open_questions(protocol: Protocol) -> dict[str, object]:
    return {name: one for name, one in protocol.document.assumptions.items() if not one.choice}


def _unknown_names(protocol: Protocol, document: ModelDocument, marks: Marks) -> Iterator[Finding]:
    vocabulary = protocol.vocabulary

    def known(
        path: Path, names: Mapping[str, object], among: Mapping[str, object] | set[str], what: str
    ) -> Iterator[Finding]:
        for name in names:
            if name not in among:
                where: Where = place(marks, (*path, name), FILE)
                yield finding(
                    "reference_unknown",
                    where,
                    path=".".join(map(str, path)),
                    name=name,
                    what=what,
                    nearest=nearest(name, among),
                )

    yield from known(("answers",), document.answers, _open_questions(protocol), "open questions")
    yield from known(("items",), document.items, vocabulary.items, "items")
    yield from known(("records",), document.records, vocabulary.records, "records")
    for kind, models in document.records.items():
        if kind in vocabulary.records:
            for index, model in enumerate(models):
                yield from known(
                    ("records", kind, index, "fields"),
                    model.fields,
                    vocabulary.records[kind].fields,
                    f"fields of {kind}",
                )
    yield from known(("allocation",), document.allocation, protocol.document.arms, "arms")
    yield from known(("visits",), document.visits, protocol.document.schedule.encounters, "encounters")
    yield from known(("lots",), document.lots, protocol.document.products, "products")
    for product, lot in document.lots.items():
        if product in protocol.products:
            names = protocol.products[product].items
            yield from known(("lots", product, "results"), lot.results, names, f"items of {product}")
            yield from known(("lots", product, "later"), lot.later, names, f"items of {product}")
            units = protocol.document.products[product].unit.items
            yield from known(("lots", product, "unit"), lot.unit, units, f"items of a unit of {product}")
            if lot.donor is not None:
                donors = protocol.donors[product].items
                yield from known(("lots", product, "donor", "results"), lot.donor.results, donors, "items of a donor")
                yield from known(("lots", product, "donor", "retest"), lot.donor.retest, donors, "items of a donor")
    for name, item in document.items.items():
        if name in vocabulary.items:
            attributes = vocabulary.items[name].attributes
            yield from known(("items", name, "with"), item.with_, attributes, f"attributes of {name}")
    mess, visits = document.mess, protocol.document.schedule.encounters
    yield from known(("mess", "never_missed"), dict.fromkeys(mess.never_missed), visits, "encounters")
    changed = [*(one.item for one in mess.slips), *(one.item for one in mess.corrections)]
    yield from known(("mess",), dict.fromkeys(changed), vocabulary.items, "items")
    yield from known(("relatives",), document.relatives, vocabulary.relatives, "relatives")
    yield from known(("site",), {document.site: 1}, protocol.document.sites, "sites")
    yield from known(("scenario",), {document.scenario: 1}, document.scenarios, "scenarios")
    for name, part in document.parameters.items():
        yield from known(("parameters", name, "scenarios"), part.scenarios, document.scenarios, "scenarios")
    asked = {name for activity in protocol.document.schedule.activities.values() for name in activity.asks}
    for name in sorted(asked - document.items.keys()):
        yield finding("rehearsal_no_value", place(marks, ("items",), FILE), name=name)
    partner = {name for activity in protocol.document.schedule.activities.values() for name in activity.partner}
    for name in sorted(partner - document.relatives.get("partner", {}).keys()):
        yield finding("rehearsal_no_value", place(marks, ("relatives",), FILE), name=f"partner.{name}")
    performed = {activity.performs for activity in protocol.document.schedule.activities.values()} - {""}
    products = {protocol.document.interventions[name].product for name in performed} - {""}
    for name in sorted(products - document.lots.keys()):
        yield finding("rehearsal_no_value", place(marks, ("lots",), FILE), name=name)
