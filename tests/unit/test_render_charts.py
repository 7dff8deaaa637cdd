"""Charts: the same bytes for the same data, text that stays text, and a plain note where nothing is known."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import pytest

from trialwright.render.charts import (
    ForestRow,
    LoveRow,
    before_after,
    boundary_course,
    forest,
    love,
    stacked_counts,
)

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
}
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
