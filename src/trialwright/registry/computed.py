"""Beside each criterion of a record's page: what of it can be computed, who judges the rest, and what is asked."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from trialwright.registry.criteria import Draft, draft_of
from trialwright.registry.criteria_lines import Item
from trialwright.registry.criteria_text import Kind, Listed
from trialwright.registry.record import Record

_SAYS: dict[str, str] = {
    "rule": "computed",
    "words": "asked by its own words",
    "judged": "judged by a person",
    "as written": "not understood: attested as written",
}


def computed(record: Record) -> Callable[[Item], Markup | None]:
    """For each criterion of a record a line that shows its draft rules; nothing where there is no criterion."""
    sex = str(record.study.get("protocolSection", {}).get("eligibilityModule", {}).get("sex", ""))

    def shown(item: Item) -> Markup | None:
        side: Kind = "exclusion" if item.side == "exclusion" else "inclusion"
        alone = Listed(side, item.number, item.words, 0, len(item.words))
        drafts = draft_of(alone, sex in ("FEMALE", "MALE")) if item.words.strip() else []
        lines = [_line(one) for one in drafts]
        return Markup('<div class="computable">{}</div>').format(Markup("<br>").join(lines)) if lines else None

    return shown


def _line(one: Draft) -> Markup:
    said = _SAYS[one.by]
    rule = Markup(" <code>{}</code>").format(one.rule) if one.by == "rule" else Markup("")
    asks = Markup(" {}").format(" ".join(one.questions)) if one.questions else Markup("")
    return Markup("{}{}{}").format(said, rule, asks)
