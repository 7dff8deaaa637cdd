"""Interventions: names, types and descriptions, from a section that lists them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from trialwright.core.finding import Grade
from trialwright.registry import values
from trialwright.registry.pages.blocks import Block
from trialwright.registry.pages.draft import Draft, short
from trialwright.registry.pages.lines import Line
from trialwright.registry.pages.lists import TYPED
from trialwright.registry.record import look

INTERVENTIONS = "/protocolSection/armsInterventionsModule/interventions"
_KIND = re.compile(r"Intervention Type\s*:?\s*(?P<type>[A-Za-z_ /]+)|Type\s*:\s*(?P<other>[A-Za-z_ /]+)", re.IGNORECASE)


@dataclass
class Intervention:
    """An intervention as the page has it."""

    name: Line
    type: Line | None = None
    text: list[Line] = field(default_factory=list)
    doubt: str = ""


def read_interventions(draft: Draft, found: list[Block]) -> None:
    """Interventions with their descriptions, where a section lists them with more than type and name."""
    body = [
        line for block in found if block.key == "interventions" for line in block.lines if line.index not in draft.used
    ]
    if not any(line.text for line in body) or values.is_nothing(" ".join(line.text for line in body)):
        draft.use(*body)
        return
    kinds = [at for at, line in enumerate(body) if kind_of(line)]
    made = _with_kinds(body, kinds) if kinds else _without_kinds(body, _arm_lines(found))
    draft.use(*body)
    written: set[int] = set()
    for one in made:
        _write_intervention(draft, one, written)


def kind_of(line: Line) -> str | None:
    """The type that a line names, or None where it names none."""
    found = _KIND.fullmatch(line.text)
    return values.word("InterventionType", (found["type"] or found["other"]).strip()) if found else None


def _with_kinds(body: list[Line], kinds: list[int]) -> list[Intervention]:
    """The name stands on the line before the type, the description behind it."""
    made = []
    heads = [max((at for at in range(kind) if body[at].text), default=kind) for kind in kinds]
    for place, (head, kind) in enumerate(zip(heads, kinds, strict=True)):
        until = heads[place + 1] if place + 1 < len(heads) else len(body)
        made.append(Intervention(body[head], body[kind], body[kind + 1 : until]))
    return made


def _without_kinds(body: list[Line], arms: list[Line]) -> list[Intervention]:
    """Names and descriptions with nothing to tell them apart but what the arms repeat, or their length."""
    texts = [line.text for line in body if line.text]
    repeated = _run_in([line.text for line in arms if line.text], texts)
    if repeated == len(texts) and len(texts) > 1:
        full = [line for line in body if line.text]
        return [Intervention(full[0], None, full[1:], "record_unlabelled_names")]
    return [Intervention(name, None, text, "record_unlabelled_names") for name, text in pairs(body)]


def _run_in(texts: list[str], run: list[str]) -> int:
    """How many lines of a run, from its first, stand together among others."""
    best = 0
    for at in (at for at, text in enumerate(texts) if run and text == run[0]):
        length = 0
        while length < len(run) and at + length < len(texts) and texts[at + length] == run[length]:
            length += 1
        best = max(best, length)
    return best


def _write_intervention(draft: Draft, one: Intervention, written: set[int]) -> None:
    """Write an intervention, or complete the one of the same name that was only listed."""
    known = look(draft.study, INTERVENTIONS) or []
    name, kind = draft.clean(one.name.text), (kind_of(one.type) if one.type else None)
    typed = TYPED.fullmatch(name)
    name_line = one.name
    if typed and kind is None:
        name, name_line = typed["name"], one.name.part(*typed.span("name"))
        kind = values.word("InterventionType", typed["type"])
    if not name:
        return
    same = (
        at
        for at, each in enumerate(known)
        if at not in written and each.get("name") == name and kind in (None, each.get("type"))
    )
    place = next(same, len(known))
    written.add(place)
    at = f"{INTERVENTIONS}/{place}"
    draft.set(f"{at}/name", name, name_line, again=False)
    if kind:
        draft.set(f"{at}/type", kind, one.type or one.name, again=False)
    if (text := draft.joined(one.text)) and not values.is_nothing(text):
        draft.set(f"{at}/description", text, *one.text, again=False)
    if one.doubt:
        draft.find(one.doubt, one.name, at, Grade.WARNING, name=short(name), what="intervention")


def _arm_lines(found: list[Block]) -> list[Line]:
    return [line for block in found if block.key == "arms" for line in block.lines]


def pairs(body: list[Line]) -> list[tuple[Line, list[Line]]]:
    """Lines in turn: a name, then what describes it; an empty line after a name means that nothing does."""
    made: list[tuple[Line, list[Line]]] = []
    fresh = True
    for at, line in enumerate(body):
        after = body[at + 1] if at + 1 < len(body) else None
        if not line.text:
            continue
        if fresh or (_like_a_name(line, after) and (made[-1][1] or not body[at - 1].text)):
            made.append((line, []))
            fresh = False
        else:
            made[-1][1].append(line)
    return made


def _like_a_name(line: Line, after: Line | None) -> bool:
    text = line.text
    if len(text) > 160 or text.endswith((".", ";", ",")) or (text.endswith(":") and len(text) > 30) or line.bullet:
        return False
    if re.match(r"\d+[.)]\s", text) and (len(text) > 60 or after is None or len(after.text) < 2 * len(text)):
        return False
    if not (text[0].isupper() or text[0].isdigit()) and len(text.split()) > 8:
        return False
    return after is None or not after.text or len(after.text) > len(text) or len(text) < 60


def names(draft: Draft) -> list[str]:
    """The names of the interventions that were read so far."""
    return [one["name"] for one in look(draft.study, INTERVENTIONS) or [] if one.get("name")]
