"""The sheet on which a draft is written: the protocol and the rehearsal model as they grow, and what stays open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trialwright.registry.criteria import slug
from trialwright.registry.draft_quotes import Page

DRAFT = "draft of the registry record"
WIDE = "assumption of the draft: wide on purpose"


@dataclass(slots=True)
class Sheet:
    """A protocol and its rehearsal model, as plain data; `add` methods write on it."""

    study: Mapping[str, Any]
    page: Page
    document: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    #: What is asked at screening, in its order, and of whom: items, items of the partner, kinds of record.
    asked: list[str] = field(default_factory=list)
    partner: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)

    def ask(
        self,
        name: str,
        silent: str,
        decides: str,
        *,
        blocks: Sequence[str] = (),
        quotes: Sequence[str] = (),
        options: Mapping[str, str] | None = None,
        unit: str = "",
    ) -> str:
        """An open question."""
        question: dict[str, Any] = {"silent": silent, "decides": decides}
        question |= {"from": list(quotes)} if quotes else {}
        question |= {"options": dict(options)} if options else {}
        question |= {"unit": unit} if unit else {}
        question |= {"blocks": list(blocks)} if blocks else {}
        self.document["assumptions"][name] = question
        return name

    def assume(self, name: str, silent: str, choice: str, quotes: Sequence[str] = ()) -> str:
        """A silence of the record that the draft filled."""
        chosen: dict[str, Any] = {"silent": silent, "choice": choice, "source": DRAFT}
        chosen |= {"from": list(quotes)} if quotes else {}
        self.document["assumptions"][name] = chosen
        return name

    def free(self, wanted: str, *sections: str) -> str:
        """A name for a part, made from words, that nothing on the sheet has yet."""
        base = slug(wanted)
        taken = set().union(*(self.document.get(section, {}) for section in (*_NAMES, *sections)))
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        return name

    def item(self, name: str, part: Mapping[str, Any], answer: str | Mapping[str, Any]) -> None:
        """An item, and how a rehearsal answers it."""
        self.document["items"][name] = dict(part)
        self.model["items"][name] = answer


_NAMES = ("items", "records", "derivations", "interventions")
