"""Write the generated parts of the documentation: options of the verbs, fields of the models, events, the schema.

A generated part stands in a page between two markers, `<!-- generated: NAME -->` and `<!-- end -->`; what stands
around it is written by hand. The JSON Schema is a file of its own, and so is each chapter of the language: nothing
else lies in `docs/language/`.

    python -m scripts.docs            # write what is stale or missing, remove what is left over
    python -m scripts.docs --check    # change nothing; exit 1 and name the files
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from scripts import chapters, drafts
from scripts.markdown import table
from trialwright.cli import main as cli
from trialwright.ledger import envelope
from trialwright.protocol import document
from trialwright.protocol.estimators import ESTIMATORS
from trialwright.rehearsal import formula, model
from trialwright.trial import events
from trialwright.trial.delegations import ROLES
from trialwright.web.permissions import COMMANDS, PAGES

ROOT = Path(__file__).parent.parent
SPEC = ROOT / "tests" / "spec"
_PART = re.compile(r"(<!-- generated: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_CONSTANT = re.compile(r'^(\w+)(?:: Final)? = "([\w.]+/\d+)"(?:\s+# (.*))?$')

#: How the tables call a part that has a short form of its own.
_SHORT = {
    "FormulaPart": "formula",
    "ItemModel": "formula",
    "LabelText": "label",
}


def main(words: list[str], root: Path = ROOT) -> int:
    """Mend the files below the root, or with `--check` name them."""
    texts = dict(wanted(root))
    faults = {path: fault for path, text in texts.items() if (fault := _fault(path, text))}
    faults |= {path: "left over" for path in sorted(_chapters(root).glob("*")) if path not in texts}
    for path, fault in faults.items():
        name = path.relative_to(root).as_posix()
        if "--check" in words:
            print(f"{name} is {fault}; run: python -m scripts.docs")
        elif fault == "left over":
            path.unlink()
            print(f"{name} removed")
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(texts[path], "utf-8")
            print(f"{name} written")
    return 1 if faults and "--check" in words else 0


def wanted(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Every file with a generated part, and the text that it should have."""
    yield root / "docs" / "protocol.schema.json", schema()
    yield from chapters.pages(SPEC, _chapters(root))
    for path in pages(root):
        text = path.read_text("utf-8")
        new = _PART.sub(lambda found: f"{found[1]}\n{part(found[2])}\n\n{found[3]}", text)
        if _PART.search(text):
            yield path, new


def pages(root: Path = ROOT) -> list[Path]:
    """Every page of the documentation."""
    return [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md"))]


def _chapters(root: Path) -> Path:
    return root / "docs" / "language"


def _fault(path: Path, text: str) -> str:
    if not path.is_file():
        return "missing"
    return "" if path.read_text("utf-8") == text else "stale"


def part(name: str) -> str:
    """The generated part of a name, such as `options check` or `fields Design`."""
    kind, _, about = name.partition(" ")
    return _PARTS[kind](about)


# ---------------------------------------------------------------- the command line


def options(verb: str) -> str:
    """The arguments and options of a verb, as a table."""
    parser = parser_of(verb)
    rows = []
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
        taken = f" {metavar}" if action.nargs != 0 else ""
        name = f"{', '.join(action.option_strings)}{taken}" if action.option_strings else metavar
        told = (action.help or "").replace("%(default)s", str(action.default))
        rows.append((f"`{name}`", told))
    return table(("argument or option", "meaning"), rows)


def verbs(_about: str) -> str:
    """Every verb with the sentence that its help begins with."""
    return table(("verb", "answers"), [(f"[`{name}`](verbs/{name}.md)", says) for name, says in cli.VERBS.items()])


def parser_of(verb: str) -> argparse.ArgumentParser:
    """The parser of a verb, with all its arguments."""
    for action in cli._parser(verb)._actions:
        if isinstance(action, argparse._SubParsersAction):
            found = action.choices[verb]
            assert isinstance(found, argparse.ArgumentParser)
            return found
    raise LookupError(verb)


# ---------------------------------------------------------------- the web application


def permission_table(_about: str) -> str:
    """Every role with the pages that it may open and the commands that it may submit."""
    rows = []
    for role in ROLES:
        opened = ", ".join(
            page.replace("_", " ") for page in PAGES if role in PAGES[page] and page not in _PARTS_OF_PAGES
        )
        done = ", ".join(f"`{command.__name__}`" for command in COMMANDS if role in COMMANDS[command])
        rows.append((role, opened, done or "nothing"))
    return table(("role", "opens", "submits"), rows)


#: What is no page of its own.
_PARTS_OF_PAGES = ("act_as", "visit_check", "order", "account_new", "account_reset")

# ---------------------------------------------------------------- models


def fields(name: str) -> str:
    """The keys of a part of the protocol document."""
    return _model(getattr(document, name))


def model_fields(name: str) -> str:
    """The keys of a part of `rehearsal.yaml`."""
    return _model(getattr(model, name))


def _model(part: type[BaseModel]) -> str:
    shape = part.model_json_schema(by_alias=True)
    needed = shape.get("required", [])
    rows = []
    for key, one in shape["properties"].items():
        told = one.get("description") or _MEANINGS.get(f"{part.__name__}.{key}", "")
        default = one.get("default")
        if key not in needed and default not in (None, "", [], {}) and not isinstance(default, dict):
            told = f"{told} Default: `{json.dumps(default, ensure_ascii=False)}`.".strip()
        rows.append((f"`{key}`", shape_in_words(one), "yes" if key in needed else "", told))
    return table(("key", "holds", "needed", "meaning"), rows)


def shape_in_words(shape: Mapping[str, Any]) -> str:
    """A piece of JSON Schema in words.

    >>> shape_in_words({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
    'text or list of texts'
    """
    if "$ref" in shape:
        name = shape["$ref"].rpartition("/")[2]
        return _SHORT.get(name, f"`{name}`")
    if "anyOf" in shape:
        return " or ".join(dict.fromkeys(shape_in_words(one) for one in shape["anyOf"] if one.get("type") != "null"))
    if "allOf" in shape:
        return shape_in_words(shape["allOf"][0])
    if "enum" in shape or "const" in shape:
        return "one of " + ", ".join(f"`{one or '(empty)'}`" for one in shape.get("enum", [shape.get("const")]))
    match shape.get("type"):
        case "array" if "prefixItems" in shape:
            inner = list(dict.fromkeys(shape_in_words(one) for one in shape["prefixItems"]))
            return f"pair of {_plural(inner[0])}"
        case "array":
            return f"list of {_plural(shape_in_words(shape.get('items', {})))}"
        case "object":
            inside = shape.get("additionalProperties")
            return f"table of {_plural(shape_in_words(inside))}" if isinstance(inside, dict) else "table"
        case "integer":
            return "whole number"
        case "boolean":
            return "true or false"
        case "string":
            return "text"
        case _:
            return "anything"


def _plural(words: str) -> str:
    if words.startswith(("list of", "table of", "pair of")):
        return re.sub("^[a-z]+", r"\g<0>s", words)
    return words if words.endswith(("`", "s")) else f"{words}s"


def functions(_about: str) -> str:
    """The functions that a formula may call."""
    rows = []
    for name, function in formula.FUNCTIONS.items():
        draws = function in formula._DRAWS
        rows.append(
            (f"`{name}{_signature(function, draws)}`", "draw" if draws else "", _first_sentence(name, function))
        )
    return table(("function", "chance", "meaning"), rows)


def _signature(function: Callable[..., Any], draws: bool) -> str:
    if function.__module__ != formula.__name__:
        return "(x)" if function not in (min, max, formula.FUNCTIONS["where"]) else "(...)"
    names = []
    for one in list(inspect.signature(function).parameters.values())[1 if draws else 0 :]:
        text = f"**{one.name}" if one.kind is inspect.Parameter.VAR_KEYWORD else one.name
        names.append(text if one.default is inspect.Parameter.empty else f"{text}={one.default:g}")
    return f"({', '.join(names)})"


_PLAIN = {
    "exp": "The exponential.",
    "log": "The natural logarithm.",
    "sqrt": "The square root.",
    "round": "The nearest whole number; a half goes to the even one.",
    "min": "The least of its arguments.",
    "max": "The greatest of its arguments.",
    "abs": "The value without its sign.",
    "where": "The second argument where the first holds, else the third.",
}


def _first_sentence(name: str, function: Callable[..., Any]) -> str:
    return _PLAIN.get(name) or (function.__doc__ or "").strip().partition("\n")[0]


# ---------------------------------------------------------------- events


def estimator_table(_about: str) -> str:
    """The estimators that an analysis may name."""
    rows = [
        (f"`{name}`", one.says, " or ".join(one.answers), "yes" if one.compares else "no")
        for name, one in ESTIMATORS.items()
    ]
    return table(("name", "estimates", "of a", "compares arms"), rows)


def event_table(_about: str) -> str:
    """Every type of event, with what its payload holds and whether every decision depends on it."""
    rows = []
    for name, told in event_types():
        rows.append((f"`{name}`", told, "yes" if name in events.TRIAL_WIDE else ""))
    return table(("type", "payload", "trial-wide"), rows)


def event_types() -> list[tuple[str, str]]:
    """The types that the sources declare, in their order, with the comment beside each."""
    found = []
    for source in (events, envelope):
        for line in inspect.getsource(source).splitlines():
            match = _CONSTANT.match(line)
            if match:
                found.append((match[2], _PAYLOADS.get(match[2]) or match[3] or ""))
    return found


#: Where the comment in the source is missing or says less than the payload holds.
_PAYLOADS = {
    "ledger.opened/1": "kind, trial, protocol, software, seed, scenario",
    "protocol.registered/1": "digest, files (each by its digest), version",
    "rehearsal.registered/1": "files (the model by its digest), scenario",
    "question.answered/1": "question, answer, from_file",
    "lot.released/1": "lot, basis, conditional, outstanding, answers (each requirement)",
    "lot.rejected/1": "lot; a reason",
    "trigger.raised/1": "alert, trigger, source, participant, record, action, says, recipients, units, basis",
    "unit.manufactured/1": "unit, lot, total, viability, viable, volume, thawed, expires, results",
    "eligibility.determined/1": "verdict, answers (each criterion), basis (the last event that it rests on)",
    "allocation.made/1": "arm or position, decided_by, basis, answers; a reason",
    "dose.determined/1": "intervention, record, planned, prepared, ratio, unit, lot, basis",
    "procedure.performed/1": "intervention, kind, record, parent, fields, steps, unit, lot, basis, answers, "
    "outside_window, decided_by",
    "signature.made/1": "meaning, name, method, signed (each event with its hash); on the stream of what it signs",
    "visit.missed/1": "encounter, record; a reason",
    "event.corrected/1": "of, payload (the whole new payload), on (where the date changes); a reason",
    "event.voided/1": "of; a reason",
    "participant.screened/1": "nothing; the site stands in the envelope",
    "screening.ended/1": "nothing; a reason",
    "participant.withdrawn/1": "nothing; a reason",
}


# ---------------------------------------------------------------- files


def schema() -> str:
    """The JSON Schema of a protocol, as published."""
    found = document.Document.model_json_schema(by_alias=True)
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **found, "title": "Trialwright protocol"}
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def chapter_table(_about: str) -> str:
    """The chapters of the language."""
    return chapters.index(SPEC, "language/")


#: What a key means, where the model itself says nothing: part of the protocol or of the rehearsal model, and key.
_MEANINGS = {
    "LabelText.en": "English.",
    "LabelText.zh": "Chinese; without it the English label stands.",
    "Design.study_type": "As the registry calls it.",
    "Design.intervention_model": "Which groups are treated how.",
    "Design.allocation": "How participants come into groups, as the registry calls it.",
    "Design.masking": "Who does not know the arm.",
    "Design.purpose": "As the registry calls it.",
    "Design.phase": "As the registry calls it.",
    "Design.enrolment": "Planned number of participants; enrolment ends there.",
    "Assumption.from": "The words of the record that are silent or ambiguous.",
    "Assumption.source": "Where the choice, or the question, comes from.",
    "ItemPart.is": "Type of the answer; a list gives the categories.",
    "ItemPart.label": "How people call it.",
    "ItemPart.unit": "Canonical UCUM unit, in which values are kept and compared.",
    "ItemPart.molar_mass": "Lets mass and molar units convert, as in `272.38 g/mol`.",
    "ItemPart.loinc": "LOINC code; carried, not yet used.",
    "ItemPart.cdisc": "CDISC code or variable; carried, not yet used.",
    "ItemPart.cost": "What asking costs; carried, not yet used.",
    "RecordPart.label": "How people call it.",
    "RecordPart.of": "The kind of record that it belongs to.",
    "RecordPart.items": "Items of the protocol that are recorded in it.",
    "RecordPart.fields": "What is recorded in it alone: name to item.",
    "LaboratoryCheck.label": "How people call it.",
    "LaboratoryCheck.fields": "Fields of the record that are read then.",
    "DerivationPart.is": "The expression.",
    "DerivationPart.of": "The kind of record that it is about; else the participant.",
    "DerivationPart.unit": "The unit of the result.",
    "DerivationPart.label": "How people call it.",
    "Criterion.rule": "The condition.",
    "Population.inclusion": "Criteria that must all be yes.",
    "Population.exclusion": "Criteria that must all be no.",
    "Arm.label": "How people call it.",
    "Arm.type": "As the registry calls it.",
    "Arm.gives": "Interventions that the arm gives; any other is refused.",
    "Allocation.method": "`sealed list` needs a list written before; `clinical choice` needs a reason and a decider.",
    "Requirement.rule": "The condition; only a certain yes lets the action pass.",
    "Requirement.says": "The same in a sentence, for the refusal.",
    "Dosing.drug": "Drug.",
    "Dosing.dose": "Amount with unit.",
    "Dosing.every": "Interval.",
    "Dosing.days": "Days of the cycle.",
    "Dosing.strength": "Strength of the preparation.",
    "Step.says": "What is done.",
    "Step.fields": "Fields of the record that it fills.",
    "Intervention.label": "How people call it.",
    "Intervention.kind": "A regimen is started, a procedure carried out.",
    "Intervention.doses": "Lines of a regimen.",
    "Intervention.product": "The product that is given.",
    "Intervention.dose_unit": "The unit in which a dose is planned and prepared.",
    "Intervention.requires": "What must hold before it.",
    "Intervention.steps": "The steps, in their order.",
    "Product.label": "How people call it.",
    "Product.items": "What a lot is tested for.",
    "Product.release": "What a lot must certainly meet.",
    "Anchor.choose": "Which record, where there are several.",
    "Activity.decides": "A determination made here.",
    "Encounter.epoch": "The part of the trial that it belongs to.",
    "Encounter.label": "How people call it.",
    "Encounter.if": "A condition; no means that it is not for her, unknown that it is undecided.",
    "Encounter.arms": "Only in these arms.",
    "Encounter.does": "Activities, in their order.",
    "Schedule.anchors": "Events that others are counted from.",
    "Schedule.epochs": "Parts of the trial, in their order.",
    "Schedule.encounters": "Visits and contacts.",
    "Schedule.activities": "What is done at them.",
    "EditCheck.rule": "The condition.",
    "EditCheck.says": "The text of the query.",
    "EditCheck.of": "The kind of record that it is about; else the participant.",
    "SafetyPolicy.grading": "The scale.",
    "SafetyPolicy.collected": "Which events, for how long.",
    "SafetyPolicy.planned_admission": "A stay that is planned, and is no prolongation.",
    "SafetyPolicy.not_serious": "What does not count as serious.",
    "Objective.level": "Rank.",
    "Objective.says": "The question of the trial.",
    "Objective.endpoints": "The endpoints that answer it.",
    "Endpoint.label": "How people call it.",
    "Endpoint.per_woman": "Carried, not yet used: a ratio always shows the mean of the women's ratios beside it.",
    "Endpoint.definition": "The definition in words, with its source.",
    "IntercurrentEvent.event": "The event.",
    "IntercurrentEvent.strategy": "How it is handled.",
    "Estimand.endpoint": "The endpoint.",
    "Estimand.population": "Attribute of ICH E9(R1).",
    "Estimand.treatment": "Attribute of ICH E9(R1).",
    "Estimand.variable": "Attribute of ICH E9(R1).",
    "Estimand.intercurrent": "Attribute of ICH E9(R1).",
    "Estimand.summary": "Attribute of ICH E9(R1).",
    "Funnel.steps": "Name to what is counted, in their order.",
    "FunnelStep.label": "How people call it.",
    "FunnelStep.count": "A count per participant.",
    "Analysis.baseline": "Items and derivations of the baseline table, at allocation.",
    "Analysis.sensitivity": "Endpoint to further estimators.",
    "Analysis.covariates": "What the overlap weights adjust for.",
    "OpenWords.from": "The words.",
    "OpenWords.question": "The question that they raise.",
    "Coverage.described": "Words that describe and execute nothing.",
    "Coverage.furniture": "Headings and bullets of the page.",
    "Coverage.open": "Words that raise a question.",
    "Document.trial": "Registry number.",
    "Document.version": "Version of this protocol.",
    "Document.title": "Title of the record.",
    "Document.record": "File with the registry page as text.",
    "Document.sponsor": "Sponsor.",
    "Document.sites": "Sites, by identifier.",
    "Document.design": "See [design](#design).",
    "Document.assumptions": "See [assumptions](#assumptions).",
    "Document.objectives": "See [objectives](#objectives).",
    "Document.items": "See [items](#items).",
    "Document.relatives": "See [relatives](#relatives).",
    "Document.records": "See [records](#records).",
    "Document.value_sets": "See [value_sets](#value_sets).",
    "Document.derivations": "See [derivations](#derivations).",
    "Document.population": "See [population](#population).",
    "Document.arms": "See [arms](#arms).",
    "Document.allocation": "See [allocation](#allocation).",
    "Document.interventions": "See [interventions](#interventions).",
    "Document.products": "See [products](#products).",
    "Document.schedule": "See [schedule](#schedule).",
    "Document.edit_checks": "See [edit_checks](#edit_checks).",
    "Document.safety": "See [safety](#safety).",
    "Document.endpoints": "See [endpoints](#endpoints).",
    "Document.estimands": "See [estimands](#estimands).",
    "Document.analysis": "See [analysis](#analysis).",
    "Document.coverage": "See [coverage](#coverage).",
    "FormulaPart.is": "The formula.",
    "FormulaPart.source": "Where its numbers come from; `assumption` where they are one.",
    "FormulaPart.decimals": "Decimals of the recorded value.",
    "AnswerPart.answer": "An option of the question, or an expression where it has none.",
    "AnswerPart.why": "Why a rehearsal may assume it.",
    "ParameterPart.value": "The number.",
    "ParameterPart.source": "Where it comes from.",
    "ParameterPart.scenarios": "Scenario to another number.",
    "RecordModel.count": "How many; rounded.",
    "RecordModel.days": "Days from the visit, for the date of the record.",
    "RecordModel.fields": "Field to formula, read in their order.",
    "ItemModel.is": "The formula of the value.",
    "ItemModel.with": "Attribute to formula.",
    "ItemModel.normal": "Reference range that comes with the result, as in `0.85..1.15`.",
    "ItemModel.decimals": "Decimals of the recorded value.",
    "ItemModel.source": "Where its numbers come from.",
    "Slip.item": "The item.",
    "Slip.factor": "What the value is multiplied by.",
    "Slip.probability": "How often.",
    "Slip.reason": "The reason that the correction gives.",
    "Slip.source": "Where the numbers come from.",
    "LateCorrection.days": "Days after her enrolment.",
    "LateCorrection.item": "The item.",
    "LateCorrection.value": "The right value.",
    "LateCorrection.reason": "The reason that the correction gives.",
    "Mess.missed_visit": "Probability that a visit is missed.",
    "Mess.never_missed": "Encounters that are never missed.",
    "Mess.late_entry": "Probability that a visit is entered late.",
    "Mess.late_days": "Least and greatest number of days that it is late.",
    "Mess.withdrawal_per_year": "Rate of withdrawal after enrolment, for each year.",
    "Mess.slips": "Unit slips.",
    "Mess.corrections": "Corrections after enrolment.",
    "Mess.note": "Probability of a free text with an adverse event.",
    "LotModel.results": "Test to formula.",
    "ModelDocument.start": "First day.",
    "ModelDocument.site": "The site that takes part.",
    "ModelDocument.women_per_week": "Women who come for screening, for each week.",
    "ModelDocument.consent_version": "Version of the information sheet.",
    "ModelDocument.answers": "Open question to its answer.",
    "ModelDocument.scenario": "The scenario that is rehearsed unless another is asked for.",
    "ModelDocument.scenarios": "Scenario to what it assumes, in a sentence.",
    "ModelDocument.parameters": "Numbers that formulas name.",
    "ModelDocument.latent": "Standard normal variables, correlated; formulas see them as `z_NAME`.",
    "ModelDocument.correlations": "Pair of latent variables, `one~other`, to their correlation.",
    "ModelDocument.woman": "Her variables, drawn once, each from those before it.",
    "ModelDocument.keep": "A condition; until it holds she is drawn again.",
    "ModelDocument.allocation": "Arm to probability, where allocation is a clinical choice.",
    "ModelDocument.allocation_reasons": "Arm to the reason that is recorded.",
    "ModelDocument.items": "Item to its answer. Every item that an encounter asks for needs one.",
    "ModelDocument.relatives": "The same for items of a relative.",
    "ModelDocument.records": "Kind of record to what comes into being; a list describes several groups of them.",
    "ModelDocument.lots": "Product to the results of its lots.",
    "ModelDocument.prepared": "Prepared cells as a share of the plan.",
    "ModelDocument.mess": "What goes wrong.",
}

_PARTS: Mapping[str, Callable[[str], str]] = {
    "options": options,
    "verbs": verbs,
    "fields": fields,
    "model": model_fields,
    "functions": functions,
    "events": event_table,
    "chapters": chapter_table,
    "estimators": estimator_table,
    "drafts": drafts.comparison,
    "permissions": permission_table,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
