"""What `draft` makes of the criteria of the two project records, beside the rules of the protocols made by hand.

`docs/drafts.md` holds the tables; `python -m scripts.docs` writes them, and a test keeps them fresh.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from scripts.markdown import table
from trialwright.language import nodes
from trialwright.protocol.document import Criterion
from trialwright.protocol.load import load
from trialwright.registry.criteria import Draft, criteria
from trialwright.registry.read import read_record

PROTOCOLS = Path(__file__).parent.parent / "protocols"

SAME, NAMED, JUDGED, ASKED, OTHER, NONE = (
    "the same",
    "the same, under other names",
    "attested by a person in both",
    "asked by its own words",
    "another reading",
    "not in the criteria",
)


def comparison(name: str) -> str:
    """Criterion by criterion, as a table, with how often which came about."""
    rows = compared(name)
    counts = Counter(verdict for *_, verdict in rows)
    told = "; ".join(
        f"{verdict}: {counts[verdict]}" for verdict in (SAME, NAMED, JUDGED, ASKED, OTHER, NONE) if counts[verdict]
    )
    head = ("criterion", "words of the record", "by hand", "draft", "confidence", "verdict")
    return f"{table(head, [_cells(row) for row in rows])}\n\n{len(rows)} criteria by hand. {told}."


def compared(name: str) -> list[tuple[str, str, str, str, str, str]]:
    """For each criterion made by hand: name, words, its rule, the rule of the draft, its confidence, a verdict."""
    protocol, found = load(PROTOCOLS / name)
    if protocol is None:
        raise SystemExit(f"{name} does not load: {found[0]}")
    drafts = drafts_of(name)
    rows = []
    for kind in ("inclusion", "exclusion"):
        for key, part in getattr(protocol.document.population, kind).items():
            words = " … ".join(part.quotes)
            rule = part.rule or part.attest
            near = [one for one in drafts if one.kind == kind and _says(part.quotes, one.text)]
            told = (" and " if kind == "inclusion" else " or ").join(
                f"({one.rule})" if len(near) > 1 and kind == "inclusion" and " or " in one.rule else one.rule
                for one in near
            )
            confidence = ", ".join(dict.fromkeys(one.confidence for one in near))
            rows.append((key, words or "(lost)", rule, told, confidence, verdict(part, near, told)))
    return rows


def drafts_of(name: str) -> tuple[Draft, ...]:
    """The drafts of a project record's criteria."""
    record = read_record((PROTOCOLS / name / "record.txt").read_bytes(), "record.txt")
    eligibility = record.study["protocolSection"]["eligibilityModule"]
    return criteria(eligibility["eligibilityCriteria"], "female")[1]


def verdict(part: Criterion, near: list[Draft], drafted: str) -> str:
    """How drafts stand to a rule made by hand."""
    if not near:
        return NONE
    rule = part.rule or part.attest
    ways = {one.by for one in near}
    if rule == drafted:
        return SAME
    if ways == {"judged"} and part.attest:
        return JUDGED
    if ways == {"rule"} and _alike(rule, drafted):
        return NAMED
    return OTHER if ways == {"rule"} else ASKED


_NAME = re.compile(r"[a-z]\w*")
_WORDS = {*nodes.RESERVED, *nodes.FUNCTIONS, "outside", "inside", "normal"}


def _alike(one: str, other: str) -> bool:
    """Whether two rules are one rule with other names: each name for one name, both ways."""
    if _NAME.sub("_", one) != _NAME.sub("_", other):
        return False
    pairs = set(zip(_NAME.findall(one), _NAME.findall(other), strict=True))
    kept = all(
        (mine in _WORDS) == (theirs in _WORDS) and (mine == theirs or mine not in _WORDS) for mine, theirs in pairs
    )
    return kept and len({mine for mine, _ in pairs}) == len(pairs) == len({theirs for _, theirs in pairs})


def _says(quotes: tuple[str, ...], text: str) -> bool:
    """Whether a draft's words stand in the words of a criterion, or the other way round."""
    words = [" ".join(re.findall(r"\w+", one.lower())) for one in (*quotes, re.sub(r",? (?:and|or|with)$", "", text))]
    return any(f" {words[-1]} " in f" {one} " or f" {one} " in f" {words[-1]} " for one in words[:-1] if " " in one)


def _cells(row: tuple[str, str, str, str, str, str]) -> tuple[str, ...]:
    key, words, rule, drafted, confidence, told = row
    shown = words if len(words) <= 110 else f"{words[:107]}..."
    shown = shown.replace("\\", "").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")
    return key, shown, f"`{rule}`", f"`{drafted}`" if drafted else "", confidence, told
