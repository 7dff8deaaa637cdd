"""An explanation as people read it: the clause in the protocol's words, its answer, the value, its date and event."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from trialwright.core.interval import plain
from trialwright.language import typed as t
from trialwright.language.explanation import Explanation, Use
from trialwright.language.values import show


def lines(explanation: Explanation, depth: int = 0) -> Iterator[str]:
    """The explanation as indented lines, one clause each; constants are left out."""
    waiting = [(explanation, depth)]
    while waiting:
        one, depth = waiting.pop()
        yield "  " * depth + _line(one)
        waiting += [(part, depth + 1) for part in reversed(one.parts) if not isinstance(part.node, _CONSTANTS)]


_CONSTANTS = (t.ConstantAmount, t.ConstantDate)


def _line(explanation: Explanation) -> str:
    unit = explanation.node.type.unit
    shown = show(explanation.value, unit.code if unit else "")
    text, distance = f"{explanation.node.clause}: {shown}", explanation.distance
    if distance is not None:
        text += f" (distance from the limit {plain(distance)}{_compared_unit(explanation)})"
    used = "; ".join([use_line(use) for use in explanation.uses if use.value is not None or use.why])
    return f"{text}  [{used}]" if used else text


def _compared_unit(explanation: Explanation) -> str:
    unit = explanation.parts[0].node.type.unit
    return f" {unit.code}" if unit and unit.code != "1" else ""


def use_line(use: Use) -> str:
    """One recorded value: what, as used, as entered where that differs, when, and in which event."""
    value = show(use.value, use.unit) if use.value is not None else f"no result ({use.why})"
    text = f"{use.item} = {value}"
    if use.entered and use.entered not in (value, value.split(" ")[0]):
        text += f", entered as {use.entered}"
    if use.date:
        text += f", {use.date}"
    return f"{text}, event {use.event}" if use.event else text


def uses(explanation: Explanation) -> tuple[Use, ...]:
    """Every recorded value that the answer rests on, each once, in the order in which it was used."""
    found: dict[tuple[str, str, int, str], Use] = {}
    for part in _all(explanation):
        for use in part.uses:
            found.setdefault((use.item, use.date, use.event, use.entered), use)
    return tuple(found.values())


def _all(explanation: Explanation) -> Iterator[Explanation]:
    yield explanation
    for part in explanation.parts:
        yield from _all(part)


def to_json(explanation: Explanation) -> dict[str, object]:
    """The explanation as plain JSON."""
    unit, distance = explanation.node.type.unit, explanation.distance
    return {
        "clause": explanation.node.clause,
        "answer": show(explanation.value, unit.code if unit else ""),
        "distance": None if distance is None else plain(distance),
        "uses": [
            {
                "item": use.item,
                "value": None if use.value is None else show(use.value, use.unit),
                "entered": use.entered,
                "date": use.date,
                "event": use.event,
                "why": use.why,
            }
            for use in explanation.uses
        ],
        "parts": [to_json(part) for part in explanation.parts if not isinstance(part.node, _CONSTANTS)],
    }


def to_html(explanation: Explanation) -> str:
    """The explanation as nested HTML lists: clause, answer as a class, and what it used; everything escaped."""
    unit = explanation.node.type.unit
    shown = show(explanation.value, unit.code if unit else "")
    used = "; ".join(use_line(one) for one in explanation.uses if one.value is not None or one.why)
    inner = "".join(to_html(part) for part in explanation.parts if not isinstance(part.node, _CONSTANTS))
    return (
        f'<ul class="explanation"><li class="{escape(shown.partition(" ")[0])}">'
        f"<code>{escape(explanation.node.clause)}</code>: <b>{escape(shown)}</b>"
        f"{f' <small>{escape(used)}</small>' if used else ''}{inner}</li></ul>"
    )
