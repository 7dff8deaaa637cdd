"""The nearest trials as a part of a record's page, each with why it is near."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from trialwright.registry.library_entry import key_of
from trialwright.registry.related import Near
from trialwright.render.page import Section
from trialwright.render.table import Column, table


def related_section(found: Sequence[Near]) -> Section:
    """A line per trial, nearest first: what it shares with the record, and whether it is nearly the same."""
    columns = [
        Column("trial", "Trial"),
        Column("status", "Status, phase"),
        Column("why", "Near by"),
        Column("score", "Nearness", "right"),
    ]
    rows = [
        {
            "trial": Markup("{}<br>{}").format(key_of(one.entry), one.entry.title),
            "status": ", ".join(text for text in (one.entry.status, one.entry.phase) if text) or "not in the record",
            "why": Markup("<br>").join(
                f"{why.facet} ({100 * why.share:.0f} %): {'; '.join(why.shared)}" for why in one.reasons
            )
            + (Markup("<br>near duplicate: nearly the same words throughout") if one.near_duplicate else ""),
            "score": f"{one.score:.2f}",
        }
        for one in found
    ]
    notes = ["Nearness is from 0 to 1, of the words that two records share; rare words count more."]
    body = (
        table(columns, rows, "Nearest trials of the library", notes)
        if rows
        else "<p>Nothing in the library is near.</p>"
    )
    return Section("related", "Related trials", body)
