"""From a folder to a protocol: every fault is collected, with its line, before anything runs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path as FilePath

from pydantic import ValidationError

from trialwright.core.finding import Finding, Grade, Refused, Where, finding
from trialwright.language import typed as t
from trialwright.language.check import Checked, check, expect
from trialwright.language.nodes import Ref
from trialwright.language.parse import parse
from trialwright.language.vocabulary import Item, Vocabulary
from trialwright.protocol.adverse_event import ADVERSE_EVENT, with_standard_fields
from trialwright.protocol.document import Document, Intervention, ItemPart, Product, Requirement
from trialwright.protocol.field_faults import fault_in_words
from trialwright.protocol.marked_yaml import Path, read
from trialwright.protocol.naming import Reading, item_of, nearest, parse_at, quantity_of, range_of, vocabulary_of
from trialwright.protocol.protocol import Criterion, Limits, Protocol, Timing
from trialwright.protocol.protocol import where as place
from trialwright.protocol.uses import names_in

FILE = "protocol.yaml"
_TIMING = re.compile(r"(?:([0-9]{1,5}) )?(days|weeks|months) after (\w+)")
_EVENTS = ("consent", "enrolment", "allocation")


def load(folder: str | FilePath) -> tuple[Protocol | None, list[Finding]]:
    """The protocol of a folder and everything found on the way; None where it cannot run.

    Nothing is raised for a user's fault: a missing file, broken YAML, a wrong field, an unknown name.
    """
    folder = FilePath(folder)
    file = folder if folder.suffix in (".yaml", ".yml") else folder / FILE
    try:
        content = file.read_bytes()
        document_files = {FILE: content}
        record = _record_name(content)
        if (file.parent / record).is_file():
            document_files[record] = (file.parent / record).read_bytes()
    except FileNotFoundError:
        return None, [finding("file_missing", path=file)]
    except OSError as wrong:
        return None, [finding("file_unreadable", path=file, why=wrong.strerror or "unreadable")]
    return load_files(document_files)


def load_files(files: Mapping[str, bytes]) -> tuple[Protocol | None, list[Finding]]:
    """The protocol of the files of its folder, as `load` does."""
    try:
        text = files[FILE].decode("utf-8")
    except UnicodeDecodeError:
        return None, [finding("file_unreadable", Where(FILE), path=FILE, why="it is not UTF-8 text")]
    marked = read(text, FILE)
    if marked.findings:
        return None, list(marked.findings)
    reading = Reading(marked.marks)
    try:
        document = Document.model_validate(marked.data)
    except ValidationError as wrong:
        for error in wrong.errors(include_url=False):
            path = _document_path(error["loc"], marked.marks)
            reading.add(
                "document_field",
                path,
                path=".".join(map(str, path)) or "document",
                why=fault_in_words(error),
            )
        return None, reading.findings
    document = with_standard_fields(document, {})
    record = files.get(document.record)
    if record is None:
        reading.add("record_missing", ("record",), path=document.record)
    protocol = _assemble(document, dict(files), record or b"", reading)
    failed = any(found.grade is Grade.ERROR for found in reading.findings)
    return (None if failed else protocol), reading.findings


def digest_of(files: Mapping[str, bytes]) -> str:
    """The digest by which a protocol version is known: over the names and bytes of its files."""
    whole = hashlib.sha256()
    for name in sorted(files):
        whole.update(f"{name}\0{hashlib.sha256(files[name]).hexdigest()}\n".encode())
    return whole.hexdigest()


def _record_name(content: bytes) -> str:
    match = re.search(rb"^record:[ \t]*([\w.-]+)", content, re.MULTILINE)
    return match[1].decode() if match else "record.txt"


def _assemble(document: Document, files: dict[str, bytes], record: bytes, reading: Reading) -> Protocol:
    vocabulary = vocabulary_of(document, reading)
    checked = Checked(vocabulary)
    rules = _Rules(checked, reading)
    for name in vocabulary.derivations:
        of = vocabulary.derivations[name].of
        if not of or of in vocabulary.records:
            rules.derivation(name)
        else:
            reading.add(
                "reference_unknown",
                ("derivations", name, "of"),
                path=f"derivations.{name}.of",
                name=of,
                what="records",
                nearest=nearest(of, vocabulary.records),
            )
    criteria = _criteria(document, rules, reading)
    products, donors, units = _product_vocabularies(document, reading)
    _other_rules(document, rules)
    _product_rules(document, rules, products, donors, units)
    _safety_rules(document, rules)
    timings = _timings(document, reading)
    reading.findings.extend(checked.warnings)
    return Protocol(
        document, digest_of(files), files, record.decode("utf-8", "replace"), reading.marks, vocabulary, products,
        donors, units, criteria, rules.typed, timings, _limits(document, reading), _checks_of(document, rules.typed),
    )  # fmt: skip


def _product_vocabularies(
    document: Document, reading: Reading
) -> tuple[dict[str, Vocabulary], dict[str, Vocabulary], dict[str, Vocabulary]]:
    """What may be asked of a lot, of a donor, and of a unit, product by product."""
    lots, donors, units = {}, {}, {}
    for name, product in document.products.items():
        base: Path = ("products", name)

        def items(parts: Mapping[str, ItemPart], *path: str, base: Path = base) -> dict[str, Item]:
            return {key: item_of(key, part, (*base, *path, key), reading) for key, part in parts.items()}

        of_lot = items(product.items, "items")
        lots[name] = Vocabulary(of_lot)
        donors[name] = Vocabulary(items(product.donor.items, "donor", "items") if product.donor else {})
        units[name] = Vocabulary({**of_lot, **items(product.unit.items, "unit", "items")})
        for key in product.unit.recipient.keys() - product.unit.items.keys():
            reading.add(
                "reference_unknown",
                (*base, "unit", "recipient"),
                path=f"products.{name}.unit.recipient",
                name=key,
                what="items of a unit",
                nearest=nearest(key, product.unit.items),
            )
        if product.identifier and product.identifier not in document.items:
            reading.add(
                "reference_unknown",
                (*base, "identifier"),
                path=f"products.{name}.identifier",
                name=product.identifier,
                what="items",
                nearest=nearest(product.identifier, document.items),
            )
    return lots, donors, units


def _checks_of(document: Document, rules: Mapping[str, t.Typed]) -> dict[str, tuple[str, ...]]:
    """For each item the edit checks about a participant that ask for it."""
    checks: dict[str, tuple[str, ...]] = {}
    for name, edit in document.edit_checks.items():
        rule = rules.get(f"edit_checks.{name}.rule")
        for item in names_in(rule) if rule is not None and not edit.of else ():
            checks[item] = (*checks.get(item, ()), name)
    return checks


def _limits(document: Document, reading: Reading) -> dict[str, Limits]:
    parts: dict[str, tuple[ItemPart, Path]] = {name: (part, ("items", name)) for name, part in document.items.items()}
    for kind, record in document.records.items():
        for name, part in record.fields.items():
            parts[f"{kind}.{name}"] = (part, ("records", kind, "fields", name))
        parts |= {f"{kind}.{name}": parts[name] for name in record.items if name in parts}
    for product_name, product in document.products.items():
        base: Path = ("products", product_name)
        donor_items = product.donor.items if product.donor else {}
        parts |= {f"{product_name}.donor.{key}": (p, (*base, "donor", "items", key)) for key, p in donor_items.items()}
        parts |= {f"{product_name}.{key}": (p, (*base, "items", key)) for key, p in product.items.items()}
        parts |= {
            f"{product_name}.unit.{key}": (p, (*base, "unit", "items", key)) for key, p in product.unit.items.items()
        }
    return {
        name: Limits(
            range_of(part.possible, (*path, "possible"), reading),
            range_of(part.plausible, (*path, "plausible"), reading),
        )
        for name, (part, path) in parts.items()
        if part.possible or part.plausible
    }


_NO_ITEM = ItemPart.model_validate({"is": "count", "label": "none"})


class _Rules:
    """Parses and checks the expressions of a document one by one, collecting what is wrong."""

    def __init__(self, checked: Checked, reading: Reading) -> None:
        self.checked = checked
        self.reading = reading
        self.typed: dict[str, t.Typed] = {}

    def add(
        self, text: str, path: Path, is_a: t.ValueType | None, of: str = "", checked: Checked | None = None
    ) -> t.Typed | None:
        expression = parse_at(text, path, self.reading)
        if expression is None:
            return None
        spot = place(self.reading.marks, path)
        try:
            node = check(expression, checked or self.checked, spot, of)
            if is_a is not None:
                expect(node, is_a, spot)
        except Refused as refused:
            self.reading.findings.extend(refused.findings)
            return None
        self.typed[".".join(map(str, path))] = node
        return node

    def derivation(self, name: str) -> None:
        """Checks a derivation where it is declared, so that a slip in it is reported there and once."""
        if name in self.checked.derivations:
            return
        declared = self.checked.vocabulary.derivations[name]
        path = ("derivations", name, "is")
        try:
            spot = place(self.reading.marks, path)
            self.checked.derivations[name] = check(declared.expression, self.checked, spot, declared.of)
            check(Ref((name,)), self.checked, spot, declared.of)  # its declared unit fits
        except Refused as refused:
            known = [(found.code, found.where) for found in self.reading.findings]
            self.reading.findings.extend(f for f in refused.findings if (f.code, f.where) not in known)


def _criteria(document: Document, rules: _Rules, reading: Reading) -> tuple[Criterion, ...]:
    criteria = []
    for kind in ("inclusion", "exclusion"):
        for name, part in getattr(document.population, kind).items():
            path: Path = ("population", kind, name)
            text = part.rule or part.attest
            if not text:
                reading.add("criterion_undecidable", path, name=name)
                continue
            node = rules.add(text, (*path, "rule" if part.rule else "attest"), "truth")
            if node is not None:
                criteria.append(Criterion(name, kind, node, part.quotes, part.missing))
    return tuple(criteria)


def _product_rules(
    document: Document,
    rules: _Rules,
    products: Mapping[str, Vocabulary],
    donors: Mapping[str, Vocabulary],
    units: Mapping[str, Vocabulary],
) -> None:
    for name, product in document.products.items():
        base: Path = ("products", name)
        groups: list[tuple[Path, Vocabulary, tuple[Requirement, ...]]] = [
            (("release",), products[name], product.release),
            (("unit", "release"), units[name], product.unit.release),
        ]
        if product.donor:
            groups.append((("donor", "accept"), donors[name], product.donor.accept))
            groups.append((("donor", "retest"), donors[name], product.donor.retest))
        for path, vocabulary, requirements in groups:
            checked = Checked(vocabulary)
            for index, requirement in enumerate(requirements):
                rules.add(requirement.rule, (*base, *path, index, "rule"), "truth", checked=checked)
        for key, text in product.unit.recipient.items():
            rules.add(text, (*base, "unit", "recipient", key), "amount")
        _quantities(rules.reading, base, product, "transport")


def _safety_rules(document: Document, rules: _Rules) -> None:
    safety = document.safety
    for name, trigger in safety.triggers.items():
        path: Path = ("safety", "triggers", name)
        if _is_record(document, rules.reading, trigger.of, (*path, "of")):
            rules.add(trigger.rule, (*path, "rule"), "truth", trigger.of)
            if trigger.unless:
                rules.add(trigger.unless, (*path, "unless"), "truth", trigger.of)
    if safety.boundary is not None and _is_record(
        document, rules.reading, ADVERSE_EVENT, ("safety", "boundary", "rule")
    ):
        rules.add(safety.boundary.rule, ("safety", "boundary", "rule"), "truth", ADVERSE_EVENT)
    for name, anchor in document.schedule.anchors.items():
        if anchor.less and anchor.record in document.records:
            rules.add(anchor.less, ("schedule", "anchors", name, "less"), "amount", anchor.record)


def _is_record(document: Document, reading: Reading, name: str, path: Path) -> bool:
    if name not in document.records:
        reading.add(
            "reference_unknown", path, path=".".join(map(str, path)), name=name, what="records",
            nearest=nearest(name, document.records),
        )  # fmt: skip
    return name in document.records


_SPAN = re.compile(r"-?[\d.]+\.\.-?[\d.]+ (\S+)")


def _quantities(reading: Reading, base: Path, part: Intervention | Product, *names: str) -> None:
    """A finding for each of the named fields that is no number with a unit, or no span of one."""
    for name in names:
        text = getattr(part, name)
        if text and not _SPAN.fullmatch(text):
            quantity_of(text, (*base, name), reading)


def _other_rules(document: Document, rules: _Rules) -> None:
    for name, intervention in document.interventions.items():
        base: Path = ("interventions", name)
        for index, requirement in enumerate(intervention.requires):
            rules.add(requirement.rule, (*base, "requires", index, "rule"), "truth")
        if intervention.dose:
            rules.add(intervention.dose, (*base, "dose"), "amount")
        _quantities(rules.reading, base, intervention, "volume", "dead_space", "duration", "restart")
        going_on = intervention.continues
        if going_on is not None and _is_record(
            document, rules.reading, going_on.record, (*base, "continues", "record")
        ):
            rules.add(going_on.positive, (*base, "continues", "positive"), "truth", going_on.record)
            rules.add(going_on.age, (*base, "continues", "age"), "amount", going_on.record)
            if going_on.ends:
                rules.add(going_on.ends, (*base, "continues", "ends"), "truth", going_on.record)
    for name, encounter in document.schedule.encounters.items():
        if encounter.if_:
            rules.add(encounter.if_, ("schedule", "encounters", name, "if"), "truth", encounter.per)
    for kind, record in document.records.items():
        for name, one in record.checks.items():
            if one.if_:
                rules.add(one.if_, ("records", kind, "checks", name, "if"), "truth", kind)
    for name, edit in document.edit_checks.items():
        rules.add(edit.rule, ("edit_checks", name, "rule"), "truth", edit.of)
    for name, endpoint in document.endpoints.items():
        path = ("endpoints", name)
        if endpoint.proportion:
            rules.add(endpoint.proportion, (*path, "proportion"), "truth")
        if endpoint.missing:
            rules.add(endpoint.missing, (*path, "missing"), "truth")
        pairs = (("ratio", endpoint.ratio), ("change", endpoint.change), ("remeasured", endpoint.remeasured))
        for key, pair in pairs:
            for index, text in enumerate(pair or ()):
                rules.add(text, (*path, key, index), "amount")
        if sum(1 for given in (endpoint.proportion, endpoint.ratio, endpoint.change) if given) != 1:
            rules.reading.add(
                "document_field",
                path,
                path=f"endpoints.{name}",
                why="exactly one of proportion, ratio and change is needed",
            )
    for index, name in enumerate((*document.analysis.baseline, *document.analysis.covariates)):
        rules.add(name, ("analysis", "names", index), None)
    for name, step in document.analysis.funnel.steps.items() if document.analysis.funnel else ():
        rules.add(step.count, ("analysis", "funnel", "steps", name, "count"), "amount")


def _timings(document: Document, reading: Reading) -> dict[str, Timing]:
    timings = {}
    schedule = document.schedule
    texts: dict[str, tuple[str, Path]] = {
        name: (encounter.at, ("schedule", "encounters", name, "at")) for name, encounter in schedule.encounters.items()
    }
    texts["schedule.follow_up"] = (schedule.follow_up, ("schedule", "follow_up"))
    for name, (text, path) in texts.items():
        match = _TIMING.fullmatch(text)
        timing = Timing(text) if match is None else Timing(match[3], int(match[1]) if match[1] else None, match[2])
        per = schedule.encounters[name].per if name in schedule.encounters else ""
        if timing.anchor not in schedule.anchors and timing.anchor != per:
            code = "time_unreadable" if match is None and " " in text else "anchor_unknown"
            reading.add(
                code,
                path,
                path=".".join(map(str, path)),
                text=text,
                name=timing.anchor,
                nearest=nearest(timing.anchor, schedule.anchors),
                anchors=", ".join(schedule.anchors),
            )
        timings[name] = timing
    for name, anchor in schedule.anchors.items():
        if anchor.event and anchor.event not in _EVENTS:
            reading.add(
                "reference_unknown",
                ("schedule", "anchors", name),
                path=f"schedule.anchors.{name}",
                name=anchor.event,
                what="events of the ledger",
                nearest=nearest(anchor.event, _EVENTS),
            )
        if anchor.item and document.items.get(anchor.item, _NO_ITEM).is_ != "date":
            reading.add(
                "reference_unknown",
                ("schedule", "anchors", name),
                path=f"schedule.anchors.{name}",
                name=anchor.item,
                what="date items",
                nearest=nearest(anchor.item, document.items),
            )
        if anchor.record and anchor.record not in document.records:
            reading.add(
                "reference_unknown",
                ("schedule", "anchors", name),
                path=f"schedule.anchors.{name}",
                name=anchor.record,
                what="records",
                nearest=nearest(anchor.record, document.records),
            )
    return timings


def compile_answer(protocol: Protocol, text: str, of: str = "") -> t.Typed:
    """An expression given as the answer to an open question, such as a dose; `Refused` says what is wrong with it."""
    parsed = parse(text, Where(path="answer"))
    if isinstance(parsed, Finding):
        raise Refused(parsed)
    return check(parsed, Checked(protocol.vocabulary), Where(path="answer"), of)


def _document_path(location: tuple[int | str, ...], marks: Mapping[Path, tuple[int, int]]) -> Path:
    """The path in the file: parts of a union's own making are left out."""
    path: Path = ()
    for part in location:
        invented = "[" in str(part) or part in ("str", "tuple")  # pydantic's names for branches of a union
        if (*path, part) in marks or (part == location[-1] and isinstance(part, str) and not invented):
            path = (*path, part)
    return path
