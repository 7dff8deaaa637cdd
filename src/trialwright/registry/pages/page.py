"""One reader for every registry page saved as text: blocks by the lexicon of headings, values by their shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from trialwright.core.finding import Finding, Grade, Refused, Where, finding
from trialwright.registry import values
from trialwright.registry.pages.arms import read_arms
from trialwright.registry.pages.blocks import Block, blocks, is_help
from trialwright.registry.pages.draft import Draft, short
from trialwright.registry.pages.eligibility import read_eligibility
from trialwright.registry.pages.fields import FIELDS, NCT, ages, fits, shapes
from trialwright.registry.pages.interventions import read_interventions
from trialwright.registry.pages.lexicon import COLONS, FURNITURE, LABELS, plain
from trialwright.registry.pages.lines import Line, is_html, lines
from trialwright.registry.pages.lists import read_conditions, read_intervention_list, read_keywords
from trialwright.registry.pages.outcomes import read_outcomes
from trialwright.registry.pages.parties import read_identifiers, read_locations, read_sponsors
from trialwright.registry.pages.unlabelled import read_unlabelled
from trialwright.registry.record import Json, Place, in_order, look

_P = "/protocolSection"
_TITLE = f"{_P}/identificationModule/briefTitle"
_TEXTS = {
    "summary": f"{_P}/descriptionModule/briefSummary",
    "detail": f"{_P}/descriptionModule/detailedDescription",
    "description": f"{_P}/descriptionModule/briefSummary",
}
#: What no title has: an address, the number of a register, leaders of dots, a question.
_NO_TITLE = re.compile(r"://|\d{8}|\d{4}-\d{6}|/\d{4}/|\.{4}|\?$")
_NO_RESULTS = re.compile(r"has not published|no results|not (?:yet )?(?:been )?(?:posted|published)", re.IGNORECASE)


def read_page(text: str, name: str) -> tuple[dict[str, Json], Mapping[str, Place], list[Finding]]:
    """The study that a page tells of; `Refused` where the lexicon recognises nothing of one."""
    page = lines(text)
    found, helped = blocks(page)
    draft = Draft(text, name, is_html(text))
    if sum(block.head is not None for block in found) < 2 and not NCT.search(text[:20_000]):
        raise Refused(finding("record_not_recognised", Where(name)))
    for block in found:
        if block.head is not None:
            draft.use(block.head)
    for block in found:
        if block.key in LABELS:
            _label(draft, block)
    _title(draft, found[0])
    for block in found:
        if block.key in _TEXTS:
            _narrative(draft, block)
    read_unlabelled(draft, found)
    read_conditions(draft, found)
    read_keywords(draft, found)
    read_intervention_list(draft, found)
    read_interventions(draft, found)
    read_arms(draft, found)
    read_outcomes(draft, found)
    read_eligibility(draft, found)
    read_sponsors(draft, found)
    read_identifiers(draft, found)
    read_locations(draft, found)
    _results(draft, found)
    _related(draft, found)
    _unread(draft, page, helped)
    study = in_order(draft.study)
    return study, draft.places, draft.found


def _label(draft: Draft, block: Block) -> None:
    """The value behind a label; what the label cannot have is a finding."""
    head, key = block.head, block.key
    assert head is not None
    if not block.lines:
        return
    value = block.lines[0]
    text = draft.clean(value.text)
    draft.use(*block.lines)
    if block.stacked is not None and key in FIELDS:
        labels = f"{block.stacked.text.rstrip(COLONS)}” and “{head.text.rstrip(COLONS)}"
        draft.find("record_labels_stacked", value, FIELDS[key][0], Grade.WARNING, labels=labels, value=short(text))
    if key == "ages":
        if (both := ages(text)) is not None:
            for each, one in zip(("min_age", "max_age"), both, strict=True):
                if one is not None:
                    draft.set(FIELDS[each][0], one, value)
            return
    elif key == "nct" and NCT.search(text) is None and any(letter.isdigit() for letter in text):
        key = "org_id"
        draft.find("record_number_other", value, FIELDS[key][0], number=short(text))
    if key in ("sec_id", "ages"):
        if key == "sec_id" and not values.is_nothing(text):
            for index, each in enumerate(re.split(r"\s*[;,|]\s*", text)):
                draft.set(f"{_P}/identificationModule/secondaryIdInfos/{index}/id", each, value)
        elif key == "ages":
            draft.find(
                "record_label_value", value, FIELDS["min_age"][0], Grade.WARNING, label=head.text, value=short(text)
            )
        return
    pointer, reader = FIELDS[key]
    if key == "nct" and (stood := NCT.search(text)):
        draft.set(pointer, stood[0], value.part(*_span(value, stood[0])))
        return
    read = reader(text) if key != "study_type" else reader(text.split("[")[0].split("(")[0].strip(" |"))
    if read is None:
        if not values.is_nothing(text) and fits(key, text) and key == "status":
            _status_unknown(draft, value, text)
        elif not values.is_nothing(text):
            code = (
                "record_date_ambiguous" if re.fullmatch(r"\d{1,2}[./]\d{1,2}[./]\d{4}", text) else "record_label_value"
            )
            draft.find(code, value, pointer, Grade.WARNING, label=head.text.rstrip(COLONS), value=short(text))
        return
    if not draft.set(pointer, read, value):
        return
    if key in ("start", "primary_completion", "completion", "enrollment"):
        kind = values.date_kind(text) or values.date_kind(head.text)
        if kind:
            draft.set(pointer.replace("/date", "/type").replace("/count", "/type"), kind, value)
    if key == "masking" and (who := _who_masked(text)):
        draft.set(f"{pointer.removesuffix('masking')}whoMasked", who, value)
    if read in ("NA", ["NA"]) and text.upper() == "NA":
        draft.find(
            "record_na",
            value,
            pointer,
            read_as="phase" if key == "phase" else "allocation",
            why=f"it stands under “{short(head.text)}”",
        )


def _span(line: Line, words: str) -> tuple[int, int]:
    start = line.text.find(words)
    return (start, start + len(words)) if start >= 0 else (0, len(line.text))


def _status_unknown(draft: Draft, value: Line, text: str) -> None:
    draft.set(FIELDS["status"][0], "UNKNOWN", value)
    before = re.search(r"(?:previously|was)\s*:?\s*([^)]+)", text, re.IGNORECASE)
    if before and (status := values.word("Status", before[1])):
        draft.set(FIELDS["last_known_status"][0], status, value)


def _who_masked(text: str) -> list[str]:
    inner = re.search(r"\(([^()]*)\)", text)
    words = [values.word("WhoMasked", part) for part in inner[1].split(",")] if inner else []
    return [each for each in words if each]


def _title(draft: Draft, first: Block) -> None:
    """The title, where no label names it: the first line before every heading that is no furniture of the site."""
    if look(draft.study, _TITLE) is not None or first.key != "loose":
        return
    could = [line for line in first.lines if line.text and plain(line.text) not in FURNITURE]
    could = [line for line in could if len(line.text) > 3 and not NCT.fullmatch(line.text) and not shapes(line.text)]
    if not could:
        return
    likely = [line for line in could if not _NO_TITLE.search(line.text)] or could
    title = next((line for line in likely if len(line.text) >= 20), likely[0])
    before = draft.clean(title.text)
    draft.set(_TITLE, before, title)
    others = [line for line in could if line is not title and line.index < title.index]
    if others or len(before) < 12 or _NO_TITLE.search(before):
        draft.find("record_title_guessed", title, _TITLE, title=short(before))


def _narrative(draft: Draft, block: Block) -> None:
    pointer = _TEXTS[block.key]
    body = list(block.lines)
    while body and not body[-1].text:
        body.pop()
    while body and not body[0].text:
        body.pop(0)
    text = draft.paragraphs(body)
    draft.use(*body)
    if text and not values.is_nothing(text):
        draft.set(pointer, text, *body, again=False)


def _results(draft: Draft, found: list[Block]) -> None:
    """Whether the page says that no results have been posted."""
    for block in found:
        if block.key == "results":
            text = " ".join(line.text for line in block.lines)
            said = next((line for line in block.lines if _NO_RESULTS.search(line.text)), None)
            draft.use(*block.lines)
            if said:
                draft.set("/hasResults", False, said)
            elif text.strip() and not text.strip().startswith("("):
                draft.find("record_lines_unread", block.lines[0], "", words=short(text, 160))


def _related(draft: Draft, found: list[Block]) -> None:
    """Other trials that the page points to: named in a finding, never mixed with this one."""
    for block in found:
        if block.key == "related":
            draft.use(*block.lines)
            if numbers := NCT.findall(" ".join(line.text for line in block.lines)):
                draft.find("record_related", block.lines[0], "", numbers=", ".join(dict.fromkeys(numbers)))


def _unread(draft: Draft, page: list[Line], helped: bool) -> None:
    """Lines that no field took up: a finding for each run of them, so that nothing is lost in silence."""
    run: list[Line] = []
    for line in [*page, Line(0, 0, 0, "", index=-1)]:
        left = (
            line.text
            and line.index not in draft.used
            and re.search(r"[^\W_]", line.text)
            and plain(line.text) not in FURNITURE
        )
        if left and not (helped and line.text.startswith("(") and line.text.endswith("help sentence)")):
            if not (helped and is_help(line)):
                run.append(line)
        elif run and (line.text or line.index < 0):
            draft.find(
                "record_lines_unread",
                run[0],
                "",
                Grade.WARNING if len(run) > 1 else Grade.NOTE,
                words=short(" / ".join(each.text for each in run), 200),
            )
            run = []
