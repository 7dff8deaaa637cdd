"""The participant flow: boxes hold their text, arms stand side by side, nothing overlaps."""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.render.flow import PAD, SIZE, FlowBox, FlowDiagram, flow_diagram, layout
from trialwright.render.measure import text_width, wrap

EXCLUDED = FlowBox(
    "Excluded (n = 86)",
    ("Thin endometrium not confirmed (n = 31)", "Antibodies: hepatitis B, hepatitis C, HIV or syphilis (n = 9)"),
)


def example(arms: int) -> FlowDiagram:
    boxes = (
        FlowBox("Allocated (n = 60)", ("Received the infusion (n = 59)", "Withdrew consent before it (n = 1)")),
        FlowBox("Analysed (n = 60)"),
    )
    return FlowDiagram(
        (FlowBox("Assessed for eligibility (n = 214)"), FlowBox("Enrolled (n = 128)")),
        EXCLUDED,
        tuple((f"Arm {n}", boxes[: 1 + n % 2]) for n in range(arms)),
    )


# what XML cannot hold is no text
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=120)
BOXES = st.builds(FlowBox, WORDS, st.lists(WORDS, max_size=4).map(tuple))
FLOWS = st.builds(
    FlowDiagram,
    st.lists(BOXES, max_size=3).map(tuple),
    st.none() | BOXES,
    st.lists(st.tuples(WORDS, st.lists(BOXES, max_size=3).map(tuple)), max_size=5).map(tuple),
)


@given(FLOWS)
@settings(deadline=None)
def test_no_text_leaves_its_box_and_no_box_meets_another(flow: FlowDiagram) -> None:
    placed = layout(flow)
    for box in placed.boxes:
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= placed.width
        assert box.bottom <= placed.height
        for line in box.lines:
            assert line.left + text_width(line.text, SIZE, line.bold) <= box.width - PAD + 0.01
        assert 18.0 * len(box.lines) <= box.height
    for a, b in combinations(placed.boxes, 2):
        apart_x = a.x + a.width <= b.x or b.x + b.width <= a.x
        apart_y = a.bottom <= b.y or b.bottom <= a.y
        assert apart_x or apart_y


@given(FLOWS)
@settings(deadline=None, max_examples=30)
def test_every_flow_is_well_formed(flow: FlowDiagram) -> None:
    ElementTree.fromstring(flow_diagram(flow))


@pytest.mark.parametrize("arms", [0, 1, 2, 3, 6])
def test_the_boxes_of_a_row_are_aligned_across_arms(arms: int) -> None:
    placed = layout(example(arms))
    tops: dict[float, set[float]] = {}
    for box in placed.boxes[3:]:
        tops.setdefault(box.y, set()).add(box.height)
    assert len(tops) == min(arms, 1) + (0 if arms == 0 else 1 if arms == 1 else 2)
    assert all(len(heights) == 1 for heights in tops.values())


def test_the_drawing_is_read_aloud() -> None:
    svg = flow_diagram(example(2))
    root = ElementTree.fromstring(svg)
    title, description = root[0], root[1]
    assert title.text == "Flow of participants"
    assert description.text is not None
    assert "Excluded (n = 86): Thin endometrium not confirmed (n = 31)" in description.text
    assert root.attrib["aria-labelledby"] == f"{title.attrib['id']} {description.attrib['id']}"


def test_the_same_flow_is_the_same_bytes() -> None:
    assert flow_diagram(example(3)) == flow_diagram(example(3))


def test_text_in_a_box_is_escaped() -> None:
    svg = flow_diagram(FlowDiagram((FlowBox("<script>alert(1)</script> & more"),), None, ()))
    assert "<script" not in svg
    assert "&lt;script&gt;" in svg


def test_a_flow_of_nothing_says_so() -> None:
    assert "No data" in flow_diagram(FlowDiagram((), None, ()))


def test_a_watermark_stands_under_the_flow() -> None:
    assert "virtual data" in flow_diagram(example(1), watermark="virtual data")


def test_a_count_stays_with_its_n() -> None:
    lines = wrap("Thin endometrium not confirmed (n = 31)", 200, 13)
    assert lines == ["Thin endometrium not", "confirmed (n = 31)"]


@pytest.mark.parametrize("text", ["Withdrew consent (n = 1)", "MMMMWWWW", "iiiillll", "≥ 20 mm ± 3 × 10", "Übelkeit"])
@pytest.mark.parametrize("bold", [False, True])
def test_the_estimate_is_never_below_the_widest_font(text: str, bold: bool) -> None:
    # DejaVu Sans as FreeType measures it, the font that matplotlib carries
    from matplotlib import font_manager, ft2font

    path = font_manager.findfont(font_manager.FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal"))
    font = ft2font.FT2Font(path)
    font.set_size(1000, 72)
    advance = sum(font.load_char(ord(each), flags=ft2font.LoadFlags.NO_SCALE).horiAdvance / 2048 for each in text)
    assert text_width(text, 1, bold) >= advance - 0.01 * len(text)
