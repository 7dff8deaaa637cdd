"""The eligibility text of a record as the items that it prints, with the numbers that it gives them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Side = Literal["inclusion", "exclusion", ""]

_HEADING = re.compile(
    r"\W*(?:[A-Za-z-]+[ \t]+){0,3}?(inclusion|exclusion)(?:[ \t]+criteri(?:a|on))?[ \t]*:?[ \t]*", re.IGNORECASE
)
_ITEM = re.compile(r"(?P<indent>[ \t]*)(?:(?P<number>\d{1,3})[.)][ \t]+|(?P<bullet>[-*•o])[ \t]+)?(?P<words>.*\S)")


@dataclass(frozen=True, slots=True)
class Item:
    """One printed item: its side (empty where no heading says it), its number (0 where it has none), its words."""

    side: Side
    number: int
    words: str


def items(text: str) -> list[Item]:
    """The items of an eligibility text in order; headings are left out, nothing else is.

    >>> items("Inclusion Criteria:\\n\\n2. Age 20 to 38\\n\\nExclusion Criteria:\\n* Pregnancy")
    [Item(side='inclusion', number=2, words='Age 20 to 38'), Item(side='exclusion', number=0, words='Pregnancy')]
    """
    made: list[Item] = []
    side: Side = ""
    for line in text.split("\n"):
        if len(line) < 100 and (heading := _HEADING.fullmatch(line)):
            side = "inclusion" if heading[1].lower() == "inclusion" else "exclusion"
        elif found := _ITEM.fullmatch(line):
            made.append(Item(side, int(found["number"] or 0), found["words"]))
    return made
