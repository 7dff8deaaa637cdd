"""Charts: the same bytes for the same data, text that stays text, and a plain note where nothing is known."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.render.charts import (
    ForestRow,
    LoveRow,
    before_after,
    boundary_course,
    cumulative,
    forest,
    love,
    stacked_counts,
)
from trialwright.render.measure import text_width
from trialwright.render.shares import chances, funnel, mirrored

HARD = "<b>Pregnancy</b> & $x^2$ 妊娠"
NAN, INFINITY = float("nan"), float("inf")
CHARTS: dict[str, Callable[[str], str]] = {
    "forest": lambda mark: forest(
        [
            ForestRow(HARD, 0.12, -0.03, 0.27, "primary"),
            ForestRow("Only an estimate", 0.1),
            ForestRow("One limit", 0.1, None, 0.2),
            ForestRow("Open", 0.1, -INFINITY, 0.2),
            ForestRow("None", None),
            ForestRow("Undefined", NAN, NAN, NAN),
        ],
        "Risk difference",
        "risk difference",
        watermark=mark,
    ),
    "love": lambda mark: love(
        [LoveRow(HARD, 0.35, 0.04), LoveRow("AMH", -0.41), LoveRow("Odd", INFINITY, NAN)], "Balance", watermark=mark
    ),
    "before_after": lambda mark: before_after(
        {HARD: [(5.0, 6.1), (4.8, 5.9), (NAN, 5.0)], "none": [], "one": [(5.0, 5.0)]},
        "Thickness",
        "mm",
        watermark=mark,
    ),
    "stacked_counts": lambda mark: stacked_counts(
        [("Oocytes", {HARD: 120, "b": 80}), ("Transferred", {"b": 3}), ("None", {})], "Funnel", watermark=mark
    ),
    "cumulative": lambda mark: cumulative(
        {HARD: [0, 1.5, 1.5, 99.9], "none": [], "Odd": [NAN, 3.0]}, "Enrolment", "weeks", "women", 60, watermark=mark
    ),
    "boundary_course": lambda mark: boundary_course(
        [0, 1, 1, 2], [None, None, 2, 2, 3, 3, *[4] * 94], "Boundary", HARD, "women with an event", watermark=mark
    ),
    "mirrored": lambda mark: mirrored({HARD: [0.0, 0.2, 0.99], "control": [1.0] * 1200}, "Both", "p", watermark=mark),
    "funnel": lambda mark: funnel([(HARD, {"a": 12000, "b": 0}), ("Born", {"a": 1})], "Funnel", watermark=mark),
    "chances": lambda mark: chances(
        {HARD: [(0.0, 0.0123), (1000.0, 0.9)], "Odd": [(NAN, 0.5)]}, "Power", "n", "chance", {"wanted": 0.8},
        (0.0, 0.925), watermark=mark,
    ),
}  # fmt: skip
EMPTY: dict[str, str] = {
    "forest": forest([], "T", "x"),
    "forest, nothing estimable": forest([ForestRow("a", None)], "T", "x"),
    "love": love([], "T"),
    "love, nothing finite": love([LoveRow("a", NAN)], "T"),
    "before_after": before_after({}, "T", "y"),
    "before_after, empty groups": before_after({"a": [], "b": []}, "T", "y"),
    "stacked_counts": stacked_counts([], "T"),
    "stacked_counts, zero": stacked_counts([("a", {"b": 0})], "T"),
}

each_chart = pytest.mark.parametrize("name", CHARTS)


@each_chart
def test_the_same_data_are_the_same_bytes(name: str) -> None:
    assert CHARTS[name]("virtual data") == CHARTS[name]("virtual data")


def test_another_process_draws_the_same_bytes() -> None:
    probe = (
        "import hashlib\nfrom tests.unit.test_render_charts import CHARTS\n"
        "print([hashlib.sha256(chart('w').encode()).hexdigest() for chart in CHARTS.values()])"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-W", "error", "-c", probe],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


@each_chart
def test_text_stays_text_and_is_escaped(name: str) -> None:
    svg = CHARTS[name]("")
    assert "<b>" not in svg
    drawn = "".join(text for text in ElementTree.fromstring(svg).itertext())
    assert "$x^2$" in drawn


@each_chart
def test_a_chart_stands_alone_in_a_page(name: str) -> None:
    svg = CHARTS[name]("")
    ids = re.findall(r' id="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    for reference in re.findall(r'(?:url\(#|href="#)([^")]+)', svg):
        assert reference in ids
    assert "<style" not in svg
    assert "<?xml" not in svg
    assert "<metadata" not in svg
    assert not re.search(r"\d{4}-\d{2}-\d{2}T", svg)


def beyond(svg: str) -> list[str]:
    """The texts of a drawing that stand out over its edges."""
    drawing = ElementTree.fromstring(svg)
    _, _, width, height = map(float, drawing.attrib["viewBox"].split())
    found = []
    for one in drawing.iter("{http://www.w3.org/2000/svg}text"):
        style = dict(part.split(": ", 1) for part in one.attrib["style"].split("; "))
        size, text = float(style["font-size"].removesuffix("px")), "".join(one.itertext())
        wide = text_width(text, size, bold=style.get("font-weight") == "700")
        left = float(one.attrib["x"]) - wide * {"start": 0, "middle": 0.5, "end": 1}[style["text-anchor"]]
        bottom = float(one.attrib["y"])
        if left < -0.01 or left + wide > width + 0.01 or bottom < size * 0.7 or bottom > height:
            found.append(text)
    return found


@each_chart
def test_no_text_is_cut_at_an_edge(name: str) -> None:
    svg = CHARTS[name]("virtual data")
    assert "<text" in svg
    assert beyond(svg) == []


@given(last=st.integers(min_value=1, max_value=2_000_000), goal=st.integers(min_value=1, max_value=2_000_000))
@settings(max_examples=25)
def test_no_number_of_an_axis_is_cut_however_long_it_is(last: int, goal: int) -> None:
    assert beyond(cumulative({"Screened": [0.0, float(last)]}, "Enrolment", "weeks", "women", float(goal))) == []
    assert beyond(boundary_course([1] * min(last, 300), [*[2] * 150, *[min(goal, 900)] * 250], "T", "x", "y")) == []
    assert beyond(chances({"a": [(0.0, 0.1), (float(last), 0.9)]}, "T", "x", "y")) == []
    assert beyond(mirrored({"a": [0.5] * min(goal, 5000), "b": [0.1]}, "T", "x")) == []


@each_chart
def test_a_chart_has_a_title_and_a_description(name: str) -> None:
    root = ElementTree.fromstring(CHARTS[name](""))
    assert root[0].tag.endswith("title")
    assert root[1].tag.endswith("desc")
    assert root[0].text
    assert root[1].text


@each_chart
def test_a_watermark_is_written_only_where_it_is_given(name: str) -> None:
    assert "virtual data" in CHARTS[name]("virtual data")
    assert "virtual data" not in CHARTS[name]("")


@pytest.mark.parametrize("name", EMPTY)
def test_a_chart_of_nothing_says_so(name: str) -> None:
    assert "No data" in EMPTY[name]
    ElementTree.fromstring(EMPTY[name])


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (ForestRow("a", 0.12, -0.03, 0.27), "0.12 (−0.03 to 0.27)"),
        (ForestRow("a", 0.12), "0.12"),
        (ForestRow("a", 0.12, None, 0.27), "0.12 (… to 0.27)"),
        (ForestRow("a", 0.12, -INFINITY, 0.27), "0.12 (−∞ to 0.27)"),
        (ForestRow("a", None), "not estimable"),
    ],
)
def test_an_interval_is_written_as_a_journal_does(row: ForestRow, shown: str) -> None:
    assert f">{shown}</text>" in forest([row, ForestRow("b", 0.2, 0.0, 0.4)], "T", "x")


@pytest.mark.parametrize(
    ("lower", "upper", "ends"),
    [(-0.15, 0.38, ("−0.2", "0.4")), (0.1, 0.2, ("0", "0.2")), (-3.0, -1.0, ("−3", "0")), (-0.01, 0.9, ("−0.25", "1"))],
)
def test_an_interval_lies_between_two_numbers_of_the_axis(lower: float, upper: float, ends: tuple[str, str]) -> None:
    svg = forest([ForestRow("a", (lower + upper) / 2, lower, upper)], "T", "difference")
    told = [text for text in ElementTree.fromstring(svg).itertext() if re.fullmatch(r"−?[\d.]+", text)]
    assert (told[0], told[-1]) == ends


def test_the_medians_are_named() -> None:
    svg = before_after({"Exosomes": [(5.0, 6.0), (4.0, 7.0), (4.5, 6.5)]}, "Thickness", "mm")
    assert "n = 3, median 4.50 before and 6.50 after" in svg


def test_drawing_leaves_the_settings_of_matplotlib_alone() -> None:
    import matplotlib

    matplotlib.rcParams["font.size"] = 17
    love([LoveRow("a", 0.2)], "T")
    assert matplotlib.rcParams["font.size"] == 17
    matplotlib.rcdefaults()


def test_a_page_without_charts_never_loads_matplotlib() -> None:
    probe = "import sys, trialwright.render.charts, trialwright.render.page; print('matplotlib' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_what_several_threads_draw_at_once_is_what_one_draws() -> None:
    def drawn(number: int) -> str:
        return boundary_course([0] * number, [None, 2, 2, 3, 3], "Boundary", "treated", "with an event")

    wanted = [drawn(number) for number in range(3)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(drawn, [*range(3)] * 3)) == wanted * 3
