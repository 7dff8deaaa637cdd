"""Arms: from typed rows, from groups one below the other, and from tables."""

from __future__ import annotations

import re

from trialwright.core.finding import Grade
from trialwright.registry import values
from trialwright.registry.pages.arm_tables import ARM, Arm, of_columns, of_flattened_rows, of_glued_rows
from trialwright.registry.pages.blocks import Block
from trialwright.registry.pages.draft import Draft, short
from trialwright.registry.pages.interventions import INTERVENTIONS, Intervention, kind_of, names, pairs
from trialwright.registry.pages.lexicon import column_of
from trialwright.registry.pages.lines import Line, cells
from trialwright.registry.pages.lists import TYPED
from trialwright.registry.record import look

_ARMS = "/protocolSection/armsInterventionsModule/armGroups"
_GROUP_TYPE = re.compile(r"(?:Group|Arm) Type\s*:?\s*(?P<type>[A-Za-z_ ]+)", re.IGNORECASE)
_NO_INTERVENTION = re.compile(r"no interventions? (?:is |are )?assigned.*", re.IGNORECASE)
_HEAD = re.compile(
    r"(?:Participant )?(?:Group|Arm)(?:/Arm|/Cohort)?\s*Interventions?(?:/Treatment)?\s*Description", re.IGNORECASE
)


def read_arms(draft: Draft, found: list[Block]) -> None:
    """The arms with their types, descriptions and interventions."""
    body = [line for block in found if block.key == "arms" for line in block.lines]
    full = [line for line in body if re.search(r"\w", line.text)]
    if not full or values.is_nothing(" ".join(line.text for line in full)):
        draft.use(*body)
        return
    first = full[0]
    made: list[Arm]
    if head := _HEAD.match(first.text):
        rest = [part for part in (first.part(head.end(), len(first.text)), *full[1:]) if part.text]
        made = (
            of_glued_rows(draft, rest)
            if not re.search(r"\s", head[0])
            else of_flattened_rows(draft, first, head.end(), full[1:])
        )
    elif (
        all(column_of(cell.text, ("group", "intervention", "text")) for cell in cells(first)) and len(cells(first)) > 1
    ):
        made = of_columns(draft, first, full[1:])
    elif any(_GROUP_TYPE.fullmatch(line.text) for line in full):
        made = _groups(draft, body)
    elif any(ARM.fullmatch(_bare(line).text) or TYPED.fullmatch(_bare(line).text) for line in full):
        made = _typed(draft, body)
    else:
        made = _groups(draft, body)
    draft.use(*body)
    for one in made:
        _write_arm(draft, one)
    _doubt_links(draft, made)


def _write_arm(draft: Draft, one: Arm) -> None:
    at = f"{_ARMS}/{len(look(draft.study, _ARMS) or [])}"
    draft.set(f"{at}/label", draft.clean(one.label.text), one.label)
    if one.type is not None and (kind := _arm_type(one.type.text)):
        draft.set(f"{at}/type", kind, one.type)
    if text := draft.joined(one.text):
        draft.set(f"{at}/description", text, *one.text)
    if one.names:
        named = [_full_name(draft, name) for name in one.names]
        draft.set(f"{at}/interventionNames", named, one.label)
    if one.doubt:
        draft.find(
            one.doubt, one.label, at, Grade.WARNING, name=short(one.label.text), what="arm", row=short(one.label.text)
        )


def _arm_type(text: str) -> str | None:
    found = _GROUP_TYPE.fullmatch(text)
    return values.word("ArmGroupType", (found["type"] if found else text).strip())


def _full_name(draft: Draft, name: str) -> str:
    """The name with its type before it, as API v2 writes it where an arm names an intervention."""
    each: dict[str, str] = next((one for one in look(draft.study, INTERVENTIONS) or [] if one.get("name") == name), {})
    kind = str(each.get("type", "")).replace("_", " ").title()
    return f"{kind}: {name}" if kind else name


def _doubt_links(draft: Draft, made: list[Arm]) -> None:
    """Mirrors often print the same interventions beside every arm; where they are several, that is doubtful."""
    linked = [one for one in made if one.names]
    if len(linked) > 1 and len(names(draft)) > 1 and len({tuple(one.names) for one in linked}) == 1:
        for place, one in enumerate(made):
            draft.find(
                "record_arm_links",
                one.label,
                f"{_ARMS}/{place}/interventionNames",
                Grade.WARNING,
                name=short(one.label.text),
                names=", ".join(one.names),
            )


def _bare(line: Line) -> Line:
    """A line without the bars of the table around it."""
    left = len(line.text) - len(line.text.lstrip("| "))
    return line.part(left, len(line.text.rstrip("| ")))


def _typed(draft: Draft, body: list[Line]) -> list[Arm]:
    """Rows that begin with a type: `Experimental: one`, and `Drug: two` for the interventions."""
    arms: list[Arm] = []
    listed = names(draft)
    here: Arm | Intervention | None = None
    interventions: list[tuple[Intervention, Arm | None]] = []
    new_row = True
    for line in body:
        bare = _bare(line)
        arm, treatment = ARM.fullmatch(bare.text), TYPED.fullmatch(bare.text)
        if arm and treatment and treatment["name"].strip() in listed:  # Other: may be either
            told = any(known.name.text == treatment["name"].strip() for known, _ in interventions)
            arm = arm if told else None
        if arm:
            here = Arm(bare.part(*arm.span("label")), bare.part(*arm.span("type")))
            arms.append(here)
        elif treatment:
            here = Intervention(bare.part(*treatment.span("name")), bare.part(*treatment.span("type")))
            interventions.append((here, None if new_row or not arms else arms[-1]))
        elif bare.text and here is not None:
            here.text.append(bare)
        if line.text:
            new_row = line.text.endswith("|")
    between = any(owner is not None and owner is not arms[-1] for _, owner in interventions)
    for one, owner in interventions:
        name = draft.clean(one.name.text)
        kind = values.word("InterventionType", one.type.text) if one.type else None
        known = look(draft.study, INTERVENTIONS) or []
        place = next(
            (at for at, each in enumerate(known) if each.get("name") == name and each.get("type") == kind), len(known)
        )
        at = f"{INTERVENTIONS}/{place}"
        draft.set(f"{at}/name", name, one.name, again=False)
        draft.set(f"{at}/type", kind, one.type or one.name, again=False)
        if text := draft.joined(one.text):
            draft.set(f"{at}/description", text, *one.text, again=False)
        if owner is not None and (between or len(arms) == 1) and name not in owner.names:
            owner.names.append(name)
    return arms


def _groups(draft: Draft, body: list[Line]) -> list[Arm]:
    """Groups one below the other: label, description, perhaps the type, perhaps the interventions again."""
    told = _intervention_lines(draft)
    kept: list[tuple[Line, str]] = []  # a line, or the end of an arm with the intervention that it names
    at = 0
    while at < len(body):
        line = body[at]
        name, length = _told(body, at, told)
        if name and any(text.text and kind == "" for text, kind in kept):
            kept.append((line, f"+{name}"))
            at += length
            continue
        if _NO_INTERVENTION.fullmatch(line.text):
            kept.append((line, "-"))
        elif _GROUP_TYPE.fullmatch(line.text):
            kept.append((line, "type"))
        elif not kind_of(line):
            kept.append((line, ""))
        at += 1
    if not any(mark for _, mark in kept):
        return [Arm(label, None, text, [], "record_unlabelled_names") for label, text in pairs(body)]
    return _marked_groups(kept)


def _marked_groups(kept: list[tuple[Line, str]]) -> list[Arm]:
    arms: list[Arm] = []
    ended = True
    typed = any(mark == "type" for _, mark in kept)
    for line, mark in kept:
        if not line.text and not mark:
            continue
        if not mark and ended:
            arms.append(Arm(line, doubt="" if typed else "record_unlabelled_names"))
            ended = False
        elif not mark:
            arms[-1].text.append(line)
        elif arms:
            ended = True
            if mark == "type":
                arms[-1].type = line
            elif mark.startswith("+") and mark[1:] not in arms[-1].names:
                arms[-1].names.append(mark[1:])
    return arms


def _intervention_lines(draft: Draft) -> dict[str, tuple[str, list[str]]]:
    """First line of each intervention -> its name and the lines of its description."""
    return {
        one["name"]: (one["name"], str(one.get("description", "")).split("\n"))
        for one in look(draft.study, INTERVENTIONS) or []
        if one.get("name")
    }


def _told(body: list[Line], at: int, told: dict[str, tuple[str, list[str]]]) -> tuple[str, int]:
    """Whether an intervention stands here again, and on how many lines; a name alone also counts before a type line."""
    text = body[at].text
    if text not in told or not text:
        return "", 0
    name, described = told[text]
    length = 1
    for line in body[at + 1 :]:
        if line.text and " ".join(line.text.split()) not in described and not kind_of(line):
            break
        length += 1
    again = [line.text for line in body[at + 1 : at + length] if line.text]
    return (name, length) if again or at + 1 >= len(body) else ("", 0)
