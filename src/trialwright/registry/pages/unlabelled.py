"""Values that stand without a label: read by shape and order inside their section, and each a finding."""

from __future__ import annotations

from trialwright.core.finding import Grade
from trialwright.registry import values
from trialwright.registry.pages.blocks import Block
from trialwright.registry.pages.draft import Draft, short
from trialwright.registry.pages.fields import FIELDS, NCT, shapes
from trialwright.registry.pages.lexicon import FURNITURE, plain
from trialwright.registry.pages.lines import Line
from trialwright.registry.record import look

#: What may stand without a label in a section, in the order in which registries print it.
_ORDER = {
    "basic": ("status", "phase", "enrollment", "study_type", "start", "completion"),
    "design": ("study_type", "allocation", "model", "purpose", "masking", "observational_model", "time_perspective"),
    "loose": ("status", "phase", "enrollment", "study_type"),
}
_DETAIL = "/protocolSection/descriptionModule/detailedDescription"
_SUMMARY = "/protocolSection/descriptionModule/briefSummary"


def read_unlabelled(draft: Draft, found: list[Block]) -> None:
    """Values without labels under basic information, under design and at the top; text without a heading."""
    for block in found:
        if block.key in _ORDER:
            _values(draft, block)
    for block in found:
        if block.key in ("loose", "basic"):
            _text_without_heading(draft, block)


def _values(draft: Draft, block: Block) -> None:
    """One value after the other; each fits what comes next in the order, or it is left alone."""
    order = _ORDER[block.key]
    next_up = 0
    for line in block.lines:
        text = draft.clean(line.text)
        if not text or line.index in draft.used or len(text) > 80:
            continue
        if plain(text) in FURNITURE:
            draft.use(line)
            continue
        if values.is_nothing(text) and text not in ("NA", "NONE") and block.key == "design":
            draft.use(line)
            next_up += 1
            continue
        possible = [key for key in order[next_up:] if key in shapes(text)]
        if not possible or (block.key == "loose" and NCT.search(text)):
            continue
        key = possible[0]
        pointer, reader = FIELDS[key]
        read = reader(text)
        if look(draft.study, pointer) is not None:
            if look(draft.study, pointer) == read:
                draft.use(line)
            continue
        next_up = order.index(key) + 1
        draft.set(pointer, read, line)
        if text.upper() == "NA":
            where = {"basic": "basic information", "design": "the design", "loose": "the top of the page"}[block.key]
            draft.find(
                "record_na",
                line,
                pointer,
                Grade.WARNING,
                read_as=_NAMES[key],
                why=f"it stands without a label under {where}",
            )
        else:
            draft.find("record_unlabelled", line, pointer, value=short(text), read_as=_NAMES[key])


_NAMES = {
    "status": "recruitment status",
    "phase": "phase",
    "enrollment": "enrolment",
    "study_type": "study type",
    "start": "start date, because it is the first of the dates",
    "completion": "completion date, because it follows the start",
    "allocation": "allocation",
    "model": "intervention model",
    "purpose": "primary purpose",
    "masking": "masking",
    "observational_model": "observational model",
    "time_perspective": "time perspective",
    "min_age": "minimum age",
    "max_age": "maximum age",
    "sex": "sex",
    "healthy": "healthy volunteers",
    "sponsor_class": "class of the sponsor",
}


def named(key: str) -> str:
    """How a sentence calls a field."""
    return _NAMES[key]


def _text_without_heading(draft: Draft, block: Block) -> None:
    """Running text under no heading of its own: the description, and which of the two is not said."""
    body = [line for line in block.lines if line.index not in draft.used]
    while body and not body[-1].text:
        body.pop()
    while body and (not body[0].text or plain(body[0].text) in FURNITURE):
        body.pop(0)
    if not any(_is_prose(line) for line in body):
        return
    pointer = _DETAIL if look(draft.study, _DETAIL) is None else _SUMMARY
    if look(draft.study, pointer) is not None:
        return
    draft.set(pointer, draft.paragraphs(body), *body)
    draft.find("record_text_without_heading", body[0], pointer, Grade.WARNING, words=short(draft.paragraphs(body)))


def _is_prose(line: Line) -> bool:
    return len(line.text.split()) > 8 or (len(line.text.split()) > 2 and line.text.endswith("."))
