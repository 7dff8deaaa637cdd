"""Tables as a journal prints them: thin rules, numbers to the right, notes underneath."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the key of its cells, the heading, and where the text stands."""

    name: str
    title: str
    align: Literal["left", "right", "center"] = "left"


#: More rows than this begin where they stand on a printed page; fewer are kept together on one.
_A_PAGE = 20


def table(
    columns: Sequence[Column], rows: Sequence[Mapping[str, object]], caption: str, notes: Sequence[str] = ()
) -> str:
    """A table with a caption above and notes below; text is escaped, `Markup` is not, a missing cell is empty.

    The first column heads its row.

    >>> "&lt;5" in table([Column("n", "n", "right")], [{"n": "<5"}], "Small counts")
    True
    """
    head = Markup("").join(
        Markup('<th scope="col" class="{}">{}</th>').format(column.align, column.title) for column in columns
    )
    headed = (
        Markup("<thead><tr>{}</tr></thead>\n").format(head) if any(column.title for column in columns) else Markup("")
    )
    body = Markup("\n").join(_row(columns, row) for row in rows)
    if not rows:
        body = Markup('<tr><td class="none" colspan="{}">No data</td></tr>').format(max(len(columns), 1))
    below = Markup("").join(Markup('<p class="note">{}</p>\n').format(note) for note in notes)
    shown = Markup(
        '<figure class="table{long}">\n<div class="scroll" role="region" tabindex="0" aria-label="{label}">\n<table>\n'
        "<caption>{caption}</caption>\n{headed}<tbody>\n{body}\n</tbody>\n</table>\n</div>\n"
        "{below}</figure>\n"
    ).format(
        long=" long" if len(rows) > _A_PAGE else "",
        label=caption.striptags() if isinstance(caption, Markup) else caption,
        caption=caption,
        headed=headed,
        body=body,
        below=below,
    )
    return str(shown)


def pairs(rows: Sequence[tuple[str, object]], caption: str) -> str:
    """A table of what and value, without a heading."""
    return table(
        [Column("what", ""), Column("value", "")], [{"what": what, "value": value} for what, value in rows], caption
    )


def _row(columns: Sequence[Column], row: Mapping[str, object]) -> Markup:
    cells = Markup("")
    for place, column in enumerate(columns):
        cell = row.get(column.name)
        text = Markup("") if cell is None else escape(cell)
        if place == 0 and len(columns) > 1:
            cells += Markup('<th scope="row" class="{}">{}</th>').format(column.align, text)
        else:
            cells += Markup('<td class="{}">{}</td>').format(column.align, text)
    return Markup("<tr>{}</tr>").format(cells)
