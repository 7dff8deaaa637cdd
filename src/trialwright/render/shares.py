"""Charts of how many: two groups over one scale from 0 to 1, the steps of a funnel, curves of a chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from trialwright.render.canvas import SMALL, TEXT, WIDTH, Key, finite, grid, overhang, sheet, ticks, written
from trialwright.render.charts import HATCHES, MARKERS, PALETTE, STYLES
from trialwright.render.measure import text_width, wrap
from trialwright.render.svg import GREY, INK, nothing

#: Bars of a histogram from 0 to 1.
_BARS = 20


def mirrored(groups: Mapping[str, Sequence[float]], title: str, xlabel: str, *, watermark: str = "") -> str:
    """Two groups over one scale from 0 to 1, one upwards and one downwards; each value is a tick at the middle.

    Where one has values and the other has none, the two cannot be compared.
    """
    named = list(groups.items())
    if len(named) != 2 or not all(values for _, values in named):
        return nothing(title, watermark)
    keys = [Key(f"{name} (n = {len(values)})", PALETTE[n], hatch=HATCHES[n]) for n, (name, values) in enumerate(named)]
    counted = [_histogram(values) for _, values in named]
    top = max(max(bars) for bars in counted) * 1.15
    with sheet(title, 236.0, keys=keys, watermark=watermark) as drawn:
        drawn.text(0, drawn.top + 6, "participants", color=GREY)
        left = text_width(written(top), SMALL) + 8
        across = ticks(0, 1, 6)
        axes = drawn.axes(left, 14, WIDTH - left - overhang(across), 180)
        for sign, key, bars, (_, values) in zip((1, -1), keys, counted, named, strict=True):
            for n, count in enumerate(bars):
                if count:
                    axes.bar(
                        (n + 0.5) / _BARS, sign * count, 1 / _BARS, color=key.color, hatch=key.hatch,
                        edgecolor="white", linewidth=0.6,
                    )  # fmt: skip
            axes.plot(values, [sign * 0.03 * top] * len(values), "|", color=INK, markersize=5, markeredgewidth=0.6)
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.set(xlim=(0, 1), ylim=(-top, top))
        marks = [mark for mark in ticks(-top, top, 6) if mark == int(mark)]
        axes.set_yticks(marks, [written(abs(mark)) for mark in marks])
        axes.set_xticks(across, [written(mark) for mark in across])
        grid(axes)
        drawn.under(axes, xlabel)
    said = "; ".join(f"{name}: {len(values)} between {min(values):.2f} and {max(values):.2f}" for name, values in named)
    return drawn.svg(f"{xlabel}. {said}.")


def _histogram(values: Sequence[float]) -> list[int]:
    bars = [0] * _BARS
    for value in values:
        bars[min(_BARS - 1, max(0, math.floor(value * _BARS)))] += 1
    return bars


def funnel(steps: Sequence[tuple[str, Mapping[str, int]]], title: str, *, watermark: str = "") -> str:
    """How many were left at each step, a bar per group; the number stands at its end."""
    groups = list(dict.fromkeys(name for _, counts in steps for name in counts))
    most = max((count for _, counts in steps for count in counts.values()), default=0)
    if not most:
        return nothing(title, watermark)
    keys = [Key(name, PALETTE[n % len(PALETTE)], hatch=HATCHES[n % len(HATCHES)]) for n, name in enumerate(groups)]
    labels = [wrap(label, 170, TEXT) for label, _ in steps]
    tall = 13.0 * len(groups) + 10
    left = max(text_width(line, TEXT) for label in labels for line in label) + 12
    right = text_width(f"{most:,}", TEXT) + 12
    with sheet(title, tall * len(steps) + 6, keys=keys if len(keys) > 1 else (), watermark=watermark) as drawn:
        axes = drawn.axes(left, 0, WIDTH - left - right, tall * len(steps))
        axes.set(xlim=(0, most), ylim=(tall * len(steps), 0), yticks=[], xticks=[])
        axes.spines[["bottom"]].set_visible(False)
        for row, ((_, counts), label) in enumerate(zip(steps, labels, strict=True)):
            middle = tall * (row + 0.5)
            for n, line in enumerate(label):
                drawn.text(left - 12, drawn.top + middle + 3.2 + 12 * (n - (len(label) - 1) / 2), line, ha="right")
            for n, key in enumerate(keys):
                count = counts.get(key.label, 0)
                y = middle + 13.0 * (n - (len(keys) - 1) / 2)
                axes.barh(y, count, 11, color=key.color, hatch=key.hatch, edgecolor="white", linewidth=0.6)
                end = left + count / most * (WIDTH - left - right)
                drawn.text(end + 5, drawn.top + y + 3.2, f"{count:,}", size=SMALL)
    said = "; ".join(f"{label}: {', '.join(f'{name} {n}' for name, n in counts.items())}" for label, counts in steps)
    return drawn.svg(f"{said}.")


def chances(
    curves: Mapping[str, Sequence[tuple[float, float]]],
    title: str,
    xlabel: str,
    ylabel: str,
    lines: Mapping[str, float] | None = None,
    shown_from: tuple[float, float] = (0.0, 1.0),
    *,
    watermark: str = "",
) -> str:
    """Chances over a scale, a curve per group; `lines` are levels that are promised, dashed.

    `shown_from` cuts the scale of the chances, which are between 0 and 1, to a part of it.
    """
    shown = {name: [point for point in curve if all(map(finite, point))] for name, curve in curves.items()}
    points = [point for curve in shown.values() for point in curve]
    if not points:
        return nothing(title, watermark)
    keys = [
        Key(name, PALETTE[n % len(PALETTE)], MARKERS[n % len(MARKERS)], STYLES[n % len(STYLES)])
        for n, name in enumerate(shown)
    ]
    xs = [x for x, _ in points]
    room = (max(xs) - min(xs)) * 0.04 or 1.0
    limits = (min(xs) - room, max(xs) + room)
    low, high = shown_from
    across, up = ticks(*limits, 7), ticks(low, high, 6)
    left = max(text_width(written(mark), SMALL) for mark in up) + 8
    with sheet(title, 250.0, keys=keys, watermark=watermark) as drawn:
        drawn.text(0, drawn.top + 6, ylabel, color=GREY)
        axes = drawn.axes(left, 16, WIDTH - left - overhang(across), 190)
        for name, level in (lines or {}).items():
            axes.axhline(level, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
            axes.text(
                limits[1], level + 0.015 * (shown_from[1] - shown_from[0]), name, ha="right", fontsize=SMALL, color=GREY
            )
        for key, curve in zip(keys, shown.values(), strict=True):
            axes.plot(*zip(*curve, strict=True), color=key.color, linestyle=key.style, marker=key.marker,
                      markersize=4.5, linewidth=1.6)  # fmt: skip
        axes.set(xlim=limits, ylim=(low, high + 0.02 * (high - low)))
        axes.set_xticks(across, [written(mark) for mark in across])
        axes.set_yticks(up, [written(mark) for mark in up])
        grid(axes)
        drawn.under(axes, xlabel)
    said = "; ".join(
        f"{name}: {', '.join(f'{y:.2f} at {written(round(x, 4))}' for x, y in curve)}" for name, curve in shown.items()
    )
    return drawn.svg(f"{ylabel} over {xlabel}. {said}.")
