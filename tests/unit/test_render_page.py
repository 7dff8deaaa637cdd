"""Pages and tables: one file, nothing fetched, nothing unescaped, the banner everywhere."""

from __future__ import annotations

import re
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from markupsafe import Markup

from trialwright.render.page import Section, figure, page
from trialwright.render.table import Column, table

BANNER = "This is a rehearsal. Every participant is virtual."
COLUMNS = [Column("what", "Characteristic"), Column("n", "Exosomes", "right")]


class Tags(HTMLParser):
    """Which tags are open, and whether each was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids.extend(value or "" for name, value in attrs if name == "id")
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def example() -> str:
    sections = [
        Section("summary", "Summary", "<p>Text</p>"),
        Section("primary", "Primary endpoint", table(COLUMNS, [{"what": "Age", "n": 32}], "Table 1"), 2),
    ]
    return page("Rehearsal", sections, BANNER, "Made by trialwright.")


def test_a_page_is_whole_and_its_tags_are_closed() -> None:
    tags = Tags()
    tags.feed(example())
    assert tags.open == []
    assert len(tags.ids) == len(set(tags.ids))


def test_a_page_fetches_nothing() -> None:
    html = example()
    for sign in ("<script", "<link", "<img", "@import", "@font-face", "url(", "http:", "https:", "src="):
        assert sign not in html


def test_every_section_is_in_the_contents() -> None:
    assert re.findall(r'<a href="#(\w+)">', example()) == ["summary", "primary"]


def test_the_banner_repeats_on_every_printed_page() -> None:
    html = example()
    assert html.count(BANNER) == 1
    # a header group is what browsers repeat
    printed = html[html.index("@media print") :]
    assert re.search(r"\.sheet \{ display: table;", printed)
    assert re.search(r"\.banner \{ display: table-header-group;", printed)


def test_no_banner_no_strip() -> None:
    assert 'class="banner"' not in page("Report", [], "", "")


def test_a_page_escapes_all_but_the_bodies() -> None:
    html = page("<b>T</b>", [Section("s", "<i>S</i>", "<p>body</p>")], "<u>B</u>", "<s>F</s>")
    assert not re.search(r"<[bius]>", html)
    assert "<p>body</p>" in html


def test_ids_that_repeat_are_refused() -> None:
    with pytest.raises(ValueError, match="the id a"):
        page("T", [Section("a", "A", ""), Section("a", "B", "")], "", "")


def test_a_level_that_no_heading_has_is_refused() -> None:
    with pytest.raises(ValueError, match="levels 1 to 3"):
        Section("a", "A", "", 4)


def test_the_same_page_is_the_same_bytes() -> None:
    assert example() == example()


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("<5", "&lt;5"),
        (None, ""),
        (0, "0"),
        (Decimal("1.10"), "1.10"),
        (Markup("<em>5</em>"), "<em>5</em>"),
    ],
)
def test_a_cell_shows_what_it_holds(cell: object, shown: str) -> None:
    html = table(COLUMNS, [{"what": "AMH", "n": cell}], "Table 1")
    assert f'<td class="right">{shown}</td>' in html


def test_a_table_escapes_its_words() -> None:
    html = table([Column("a", "<b>")], [{"a": "<b>"}], '<b>"', ["<b>"])
    assert "<b>" not in html
    assert 'aria-label="&lt;b&gt;&#34;"' in html


def test_a_missing_key_is_an_empty_cell() -> None:
    assert '<td class="right"></td>' in table(COLUMNS, [{"what": "Age"}], "Table 1")


def test_a_table_without_rows_says_so() -> None:
    assert '<td class="none" colspan="2">No data</td>' in table(COLUMNS, [], "Table 1")


def test_a_figure_keeps_its_drawing_and_escapes_its_caption() -> None:
    html = figure("<svg></svg>", "a < b")
    assert "<svg></svg>" in html
    assert "a &lt; b" in html
