"""Charts as SVG, the same bytes for the same data: estimates, paired lines, balance, courses, counts.

Groups differ in colour and also in marker, line or hatch. A chart without data says so.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trialwright.render.canvas import (
    SMALL,
    TEXT,
    WIDTH,
    Key,
    Sheet,
    finite,
    grid,
    overhang,
    sheet,
    span,
    ticks,
    written,
)
from trialwright.render.measure import text_width, wrap
from trialwright.render.svg import GREY, INK, nothing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.typing import LineStyleType

#: Okabe and Ito's colours, told apart by every kind of colour vision; yellow is left out, it vanishes on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
STYLES: tuple[LineStyleType, ...] = (
    "-",
    (0, (5, 2)),
    (0, (1, 1.5)),
    (0, (6, 2, 1, 2)),
    (0, (3, 1)),
    (0, (9, 2)),
    (0, (1, 3)),
)
HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "----", "++++")

LIMIT = 0.1  # above it a standardised difference is customarily called an imbalance


@dataclass(frozen=True, slots=True)
class ForestRow:
    """An estimate with its interval; None was not computed, an infinite limit leaves the axis."""

    label: str
    estimate: float | None
    lower: float | None = None
    upper: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class LoveRow:
    """A covariate's standardised mean difference before and after adjustment."""

    label: str
    before: float
    after: float | None = None


def forest(rows: Sequence[ForestRow], title: str, xlabel: str, zero: float = 0.0, *, watermark: str = "") -> str:
    """Estimates with their intervals against the line of no effect, also written out on the right."""
    points = [x for row in rows for x in (row.estimate, row.lower, row.upper) if x is not None and finite(x)]
    if not points:
        return nothing(title, watermark)
    texts = [_interval(row, _digits(points)) for row in rows]
    lines = _Rows([row.label for row in rows], texts, [row.note for row in rows])
    low, high = _between_marks([*points, zero])
    with sheet(title, lines.height + 36, watermark=watermark) as drawn:
        axes = lines.axes(drawn, (low, high))
        axes.axvline(zero, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
        for row, y in zip(rows, lines.middles, strict=True):
            _estimate(axes, row, y, low, high)
        drawn.under(axes, xlabel)
    said = "; ".join(f"{row.label}: {text}" for row, text in zip(rows, texts, strict=True))
    return drawn.svg(f"{xlabel}. {said}.")


def _between_marks(points: Sequence[float]) -> tuple[float, float]:
    """Ends of an axis with a number at or beyond every point."""
    low, high = span(points, 0.06)
    marks = ticks(low, high)
    step = marks[1] - marks[0] if len(marks) > 1 else 0.0
    low = marks[0] - step if marks and min(points) < marks[0] else low
    return low, (marks[-1] + step if marks and max(points) > marks[-1] else high)


def _estimate(axes: Axes, row: ForestRow, y: float, low: float, high: float) -> None:
    if row.estimate is None or not finite(row.estimate):
        return
    ends = [row.estimate if end is None else end for end in (row.lower, row.upper)]
    axes.plot([max(ends[0], low), min(ends[1], high)], [y, y], color=PALETTE[0], linewidth=1.4)
    for end, edge, marker in ((ends[0], low, "<"), (ends[1], high, ">")):
        if end == row.estimate:
            continue
        inside = finite(end)
        axes.plot(
            end if inside else edge, y, color=PALETTE[0], marker="|" if inside else marker, markersize=5, clip_on=False
        )
    hollow = row.lower is None and row.upper is None
    axes.plot(
        row.estimate, y, marker="s", markersize=6, color=PALETTE[0], markerfacecolor="white" if hollow else PALETTE[0]
    )


def _interval(row: ForestRow, digits: int) -> str:
    """`0.12 (−0.03 to 0.27)`."""

    def text(value: float | None) -> str:
        if value is None or math.isnan(value):
            return "…"
        if math.isinf(value):
            return "∞" if value > 0 else "−∞"
        return f"{value:.{digits}f}".replace("-", "−")

    if row.estimate is None or not finite(row.estimate):
        return "not estimable"
    if row.lower is None and row.upper is None:
        return text(row.estimate)
    return f"{text(row.estimate)} ({text(row.lower)} to {text(row.upper)})"


def _digits(points: Sequence[float]) -> int:
    width = max(points) - min(points) or abs(points[0]) or 1.0
    return min(6, max(0, (1 if width < 1 else 2) - math.floor(math.log10(width))))


def love(rows: Sequence[LoveRow], title: str, *, watermark: str = "") -> str:
    """Absolute standardised mean differences before and after adjustment, with the customary limit of 0.1."""
    points = [abs(x) for row in rows for x in (row.before, row.after) if x is not None and finite(x)]
    if not points:
        return nothing(title, watermark)

    def text(value: float) -> str:
        return f"{abs(value):.2f}" if finite(value) else "–"

    texts = [text(row.before) + ("" if row.after is None else f" → {text(row.after)}") for row in rows]
    lines = _Rows([row.label for row in rows], texts, [""] * len(rows))
    before = Key("before adjustment", PALETTE[1], "o", filled=False)
    after = Key("after adjustment", PALETTE[0], "D")
    keys = [before, after] if any(row.after is not None for row in rows) else [before]
    with sheet(title, lines.height + 36, keys=keys, watermark=watermark) as drawn:
        axes = lines.axes(drawn, (0, max(*points, 2 * LIMIT) * 1.08))
        axes.axvline(LIMIT, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
        axes.text(LIMIT, -2, written(LIMIT), fontsize=SMALL, color=GREY, ha="center")
        for row, y in zip(rows, lines.middles, strict=True):
            axes.axhline(y, color="#e4e4e4", linewidth=0.6, zorder=0)
            pair = [(row.before, before), *([] if row.after is None else [(row.after, after)])]
            for value, key in pair:
                if finite(value):
                    axes.plot(
                        abs(value),
                        y,
                        marker=key.marker,
                        markersize=6,
                        color=key.color,
                        linestyle="none",
                        markerfacecolor=key.color if key.filled else "white",
                        clip_on=False,
                    )
        drawn.under(axes, "absolute standardised mean difference")
    said = "; ".join(f"{row.label}: {text}" for row, text in zip(rows, texts, strict=True))
    return drawn.svg(f"Absolute standardised mean differences. {said}.")


class _Rows:
    """Rows with a label to the left of the axes and numbers to the right."""

    def __init__(self, labels: Sequence[str], texts: Sequence[str], notes: Sequence[str]) -> None:
        self.labels = [wrap(label, 170, TEXT) for label in labels]
        self.texts = texts
        self.notes = [wrap(note, 130, SMALL) if note else [] for note in notes]
        heights = [
            max(21.0, 12.0 * len(label) + 9, 12.0 + 10.5 * len(note) + 9)
            for label, note in zip(self.labels, self.notes, strict=True)
        ]
        self.height = sum(heights) + 8
        self.middles = [4 + sum(heights[:n]) + height / 2 for n, height in enumerate(heights)]
        self.left = max(text_width(line, TEXT) for lines in self.labels for line in lines) + 12
        texts_wide = max(text_width(text, TEXT) for text in texts)
        self.right = max([texts_wide, *(text_width(line, SMALL) for note in self.notes for line in note)]) + 14

    def axes(self, drawn: Sheet, limits: tuple[float, float]) -> Axes:
        """The area between them, one point high per point."""
        axes = drawn.axes(self.left, 0, WIDTH - self.left - self.right, self.height)
        axes.set(xlim=limits, ylim=(self.height, 0), yticks=[])
        axes.spines["left"].set_visible(False)
        marks = ticks(*limits)
        axes.set_xticks(marks, [written(mark) for mark in marks])
        for label, text, note, middle in zip(self.labels, self.texts, self.notes, self.middles, strict=True):
            y = drawn.top + middle
            for n, line in enumerate(label):
                drawn.text(self.left - 12, y + 3.2 + 12 * (n - (len(label) - 1) / 2), line, ha="right")
            x = WIDTH - self.right + 14
            drawn.text(x, y + 3.2 - 5.25 * len(note), text)
            for n, line in enumerate(note):
                drawn.text(x, y + 3.2 - 5.25 * len(note) + 10.5 * (n + 1), line, size=SMALL, color=GREY)
        return axes


def before_after(
    groups: Mapping[str, Sequence[tuple[float, float]]],
    title: str,
    ylabel: str,
    labels: tuple[str, str] = ("before", "after"),
    *,
    watermark: str = "",
) -> str:
    """One thin line per participant and a heavy one for the median, a panel per group on one scale."""
    pairs = {name: [pair for pair in group if all(map(finite, pair))] for name, group in groups.items()}
    values = [x for group in pairs.values() for pair in group for x in pair]
    if not values:
        return nothing(title, watermark)
    panels = _Panels({name: len(group) for name, group in pairs.items()}, span(values, 0.05), ylabel, 34)
    said = []
    with sheet(title, panels.height, watermark=watermark) as drawn:
        for n, (axes, (name, group)) in enumerate(zip(panels.axes(drawn), pairs.items(), strict=True)):
            color, marker, style = _look(n)
            for pairs_drawn in _strands(group):
                axes.plot(*pairs_drawn, color=color, alpha=0.32, linewidth=0.8, marker=marker, markersize=2.6)
            axes.set_xlim(-0.55, 1.55)
            axes.set_xticks((0, 1), labels, fontsize=TEXT)
            if not group:
                axes.text(0.5, 0.5, "No data", transform=axes.transAxes, ha="center", color=GREY)
                said.append(f"{name}: no data")
                continue
            medians = [statistics.median(pair[side] for pair in group) for side in (0, 1)]
            axes.plot(
                (0, 1),
                medians,
                color=color,
                linewidth=2.6,
                linestyle=style,
                marker=marker,
                markersize=7.5,
                markeredgecolor="white",
                markeredgewidth=1,
            )
            texts = [_short(median, values) for median in medians]
            for x, align, median, text in zip((-0.1, 1.1), ("right", "left"), medians, texts, strict=True):
                axes.text(x, median, text, ha=align, va="center", fontsize=TEXT, weight="bold", color=INK)
            said.append(f"{name}: n = {len(group)}, median {texts[0]} {labels[0]} and {texts[1]} {labels[1]}")
    return drawn.svg(f"{ylabel}. {'; '.join(said)}. Heavy lines join the medians.")


#: So many lines are drawn one by one, so that they darken where they cross; more are one line with gaps.
_APART = 300


def _strands(group: Sequence[tuple[float, float]]) -> Iterator[tuple[list[float], list[float]]]:
    """The pairs as lines to draw: each its own, or all of a large group as one with gaps."""
    if len(group) <= _APART:
        yield from (([0.0, 1.0], list(pair)) for pair in group)
        return
    gap = math.nan
    yield [x for _ in group for x in (0.0, 1.0, gap)], [y for pair in group for y in (*pair, gap)]


def cumulative(
    groups: Mapping[str, Sequence[float]],
    title: str,
    xlabel: str,
    ylabel: str,
    goal: float | None = None,
    *,
    watermark: str = "",
) -> str:
    """How many had happened by each time, one step line per group, with the number that is wanted as a dashed line."""
    times = {name: sorted(filter(finite, group)) for name, group in groups.items()}
    every = [x for group in times.values() for x in group]
    if not every:
        return nothing(title, watermark)
    top = max([*(float(len(group)) for group in times.values()), goal or 0.0])
    keys = [Key(name, _look(n)[0], style=_look(n)[2]) for n, name in enumerate(times)]
    marks = ticks(0.0, top, 6)
    left = max(text_width(written(mark), SMALL) for mark in marks) + 8
    limits = (min(0.0, *every), max(every) * 1.02 or 1.0)
    across = ticks(*limits, 6)
    with sheet(title, 250.0, keys=keys, watermark=watermark) as drawn:
        drawn.text(0, drawn.top + 6, ylabel, color=GREY)
        axes = drawn.axes(left, 16, WIDTH - left - overhang(across), 190)
        for n, group in enumerate(times.values()):
            color, _, style = _look(n)
            xs, ys = [limits[0], *group, limits[1]], [0, *range(1, len(group) + 1), len(group)]
            axes.plot(xs, ys, color=color, linewidth=1.6, linestyle=style, drawstyle="steps-post")
        if goal is not None:
            axes.axhline(goal, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.set(xlim=limits, ylim=(0, top * 1.06))
        axes.set_yticks(marks, [written(mark) for mark in marks])
        axes.set_xticks(across, [written(mark) for mark in across])
        grid(axes)
        drawn.under(axes, xlabel)
    return drawn.svg(f"{ylabel}. " + "; ".join(f"{name}: {len(group)}" for name, group in times.items()))


def boundary_course(
    seen: Sequence[int], pause_at: Sequence[int | None], title: str, xlabel: str, ylabel: str, *, watermark: str = ""
) -> str:
    """Participants with an event after each one treated, against how many pause the trial; where they do is marked.

    `seen[n - 1]` and `pause_at[n - 1]` belong to n treated; a limit of None means that no number pauses there.
    """
    last = min(len(pause_at), max(10, len(seen) + max(3, len(seen) // 4)))
    limits = [(n, least) for n, least in enumerate(pause_at[: max(last, len(seen))], 1) if least is not None]
    if not limits:
        return nothing(title, watermark)
    seen_key = Key("with an event that counts", PALETTE[0], style="-")
    limit_key = Key("pauses the trial from here on", PALETTE[1], style=STYLES[1])
    mark_key = Key("reached", PALETTE[1], "X")
    reached = [(n, least) for n, least in limits if n <= len(seen) and seen[n - 1] >= least]
    top = max(limits[-1][1], *seen, 1) + 1.0
    right = max(last, len(seen)) + 0.5
    keys = [seen_key, limit_key, *([mark_key] if reached else [])]
    across, up = ([mark for mark in ticks(0, high, 8) if mark == int(mark)] for high in (right, top))
    left = text_width(written(up[-1]), SMALL) + 8
    with sheet(title, 250.0, keys=keys, watermark=watermark) as drawn:
        drawn.text(0, drawn.top + 6, ylabel, color=GREY)
        axes = drawn.axes(left, 16, WIDTH - left - overhang(across), 190)
        xs, ys = [x for n, _ in limits for x in (n - 0.5, n + 0.5)], [y for _, y in limits for _ in (0, 1)]
        axes.fill_between(xs, ys, top, color=limit_key.color, alpha=0.08, linewidth=0)
        axes.plot(xs, ys, color=limit_key.color, linestyle=limit_key.style, linewidth=1.4)
        if seen:
            axes.plot(
                range(len(seen) + 1),
                [0, *seen],
                color=seen_key.color,
                linewidth=1.6,
                drawstyle="steps-post",
                clip_on=False,
            )
            axes.plot(len(seen), seen[-1], color=seen_key.color, marker="o", markersize=6, clip_on=False)
        for n, _ in reached:
            axes.plot(n, seen[n - 1], color=mark_key.color, marker="X", markersize=8, linestyle="none", clip_on=False)
        axes.set(xlim=(0, right), ylim=(0, top))
        axes.set_xticks(across, [written(mark) for mark in across])
        axes.set_yticks(up, [written(mark) for mark in up])
        grid(axes)
        drawn.under(axes, xlabel)
    now = f"{seen[-1]} of {len(seen)} treated" if seen else "nobody treated yet"
    crossed = f"reached at {', '.join(str(n) for n, _ in reached)} treated" if reached else "not reached"
    return drawn.svg(f"{ylabel}: {now}. The limit was {crossed}.")


class _Panels:
    """Up to three panels a row, named and counted above, on one vertical scale that is written once."""

    def __init__(self, counts: Mapping[str, int], limits: tuple[float, float], ylabel: str, below: float) -> None:
        self.counts, self.limits, self.ylabel, self.below = counts, limits, ylabel, below
        self.marks = ticks(*limits, 6)
        self.left = max(text_width(written(mark), SMALL) for mark in self.marks) + 8
        self.columns = min(3, len(counts))
        self.gap = 16.0
        self.width = min(330.0, (WIDTH - self.left - self.gap * (self.columns - 1)) / self.columns)
        self.names = [wrap(f"{name} (n = {count})", self.width, TEXT, bold=True) for name, count in counts.items()]
        self.above = 12.0 * max(map(len, self.names)) + 6
        self.tall = 190.0
        self.label = wrap(ylabel, WIDTH, TEXT)
        self.start = 12.0 * len(self.label) + 4
        self.rows = -(-len(counts) // self.columns)
        self.height = self.start + self.rows * (self.above + self.tall + below)

    def axes(self, drawn: Sheet) -> Iterator[Axes]:
        """The panels, from left to right and top to bottom."""
        for n, line in enumerate(self.label):
            drawn.text(0, drawn.top + 6 + 12 * n, line, color=GREY)
        for n, name in enumerate(self.names):
            row, column = divmod(n, self.columns)
            x = self.left + column * (self.width + self.gap)
            y = self.start + row * (self.above + self.tall + self.below)
            for k, line in enumerate(name):
                base = drawn.top + y + self.above - 8 - 12 * (len(name) - 1 - k)
                drawn.text(x, base, line, weight="bold")
            axes = drawn.axes(x, y + self.above, self.width, self.tall)
            axes.set_ylim(self.limits)
            axes.set_yticks(self.marks, [written(mark) for mark in self.marks] if column == 0 else [])
            if column:
                axes.spines["left"].set_visible(False)
                axes.tick_params(axis="y", length=0)
            grid(axes)
            yield axes


def stacked_counts(rows: Sequence[tuple[str, Mapping[str, int]]], title: str, *, watermark: str = "") -> str:
    """One bar per row, cut by category in the order in which categories first appear; counts are written in."""
    categories = list(dict.fromkeys(category for _, counts in rows for category in counts))
    totals = [sum(counts.values()) for _, counts in rows]
    if not categories or not any(totals):
        return nothing(title, watermark)
    keys = [
        Key(category, PALETTE[n % len(PALETTE)], hatch=HATCHES[(n + n // len(PALETTE)) % len(HATCHES)])
        for n, category in enumerate(categories)
    ]
    lines = _Rows([label for label, _ in rows], [f"{total:,}" for total in totals], [""] * len(rows))
    with sheet(title, lines.height + 22, keys=keys, watermark=watermark) as drawn:
        axes = lines.axes(drawn, (0, max(totals) * 1.0))
        per_point = max(totals) / (WIDTH - lines.left - lines.right)
        for (_, counts), y in zip(rows, lines.middles, strict=True):
            start = 0
            for key in keys:
                count = counts.get(key.label, 0)
                if count:
                    _segment(axes, key, start, count, y, per_point)
                start += count
    said = "; ".join(
        f"{label}: " + ", ".join(f"{category} {counts[category]}" for category in categories if category in counts)
        for label, counts in rows
    )
    return drawn.svg(f"{said}.")


def _segment(axes: Axes, key: Key, start: int, count: int, y: float, per_point: float) -> None:
    axes.barh(y, count, 14, start, color=key.color, hatch=key.hatch, edgecolor="white", linewidth=0.6)
    text = f"{count:,}"
    if text_width(text, SMALL, bold=True) + 6 <= count / per_point:
        plate = {"facecolor": key.color, "edgecolor": "none", "pad": 1.2}
        ink = "white" if _dark(key.color) else "black"
        axes.text(start + count / 2, y + 2.9, text, ha="center", color=ink, fontsize=SMALL, weight="bold", bbox=plate)


def _dark(color: str) -> bool:
    red, green, blue = (int(color[n : n + 2], 16) for n in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue < 135


def _look(n: int) -> tuple[str, str, LineStyleType]:
    return PALETTE[n % len(PALETTE)], MARKERS[n % len(MARKERS)], STYLES[n % len(STYLES)]


def _short(value: float, among: Sequence[float]) -> str:
    """A value with as many digits as its neighbours deserve."""
    return f"{value:.{min(2, _digits(among))}f}".replace("-", "−")
