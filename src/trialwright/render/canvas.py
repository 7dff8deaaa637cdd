"""The sheet that charts are drawn on: measured in points, with its text laid out here and not by matplotlib.

Text stays text and is laid out by the widths of DejaVu Sans, which matplotlib carries, so that a chart looks the
same wherever it was made. Matplotlib is imported when a sheet is opened.
"""

from __future__ import annotations

import io
import math
import re
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trialwright.render.measure import FONT_STACK, text_width, wrap
from trialwright.render.svg import GREY, INK, RULE, digest, framed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.typing import LineStyleType, RcKeyType

WIDTH = 540.0
TEXT, SMALL, TITLE = 9.0, 8.0, 11.0
_SHOWN = 4 / 3  # a point is this many CSS pixels
_KEY = 20.0  # the sample before a legend's word

#: Matplotlib's settings are those of the whole process: a server's threads draw one after the other.
_DRAWING = threading.RLock()

_SETTINGS: dict[RcKeyType, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "trialwright",
    "font.family": ["DejaVu Sans"],
    "font.size": TEXT,
    "text.parse_math": False,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "hatch.linewidth": 0.6,
    "figure.dpi": 72,
    "savefig.dpi": 72,
}


@dataclass(frozen=True, slots=True)
class Key:
    """What a legend explains: a sample and its word."""

    label: str
    color: str
    marker: str = ""
    style: LineStyleType = ""
    hatch: str | None = None
    filled: bool = True


class Sheet:
    """A figure under construction; every place is in points from the top left."""

    def __init__(self, title: str, keys: Sequence[Key], height: float, watermark: str) -> None:
        from matplotlib.figure import Figure

        self.title = title
        title_lines = wrap(title, WIDTH, TITLE, bold=True)
        places = _legend(keys)
        legend_height = 16.0 * (places[-1][1] + 1) + 4 if places else 0.0
        self.top = 15.0 * len(title_lines) + 8 + legend_height
        self.height = self.top + height + (16 if watermark else 0)
        self.figure = Figure(figsize=(WIDTH / 72, self.height / 72))
        self.paper = self.figure.add_axes((0, 0, 1, 1))
        self.paper.set(xlim=(0, WIDTH), ylim=(self.height, 0))
        self.paper.set_axis_off()
        for n, line in enumerate(title_lines):
            self.text(0, 11 + 15.0 * n, line, size=TITLE, weight="bold")
        for key, row, x in places:
            self._key(key, x, 15.0 * len(title_lines) + 12 + 16 * row)
        if watermark:
            self.text(0, self.height - 3, watermark, size=SMALL, color=GREY)
        self._svg = ""

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """An area for data; y counts from below the title and legend."""
        bottom = self.height - self.top - y - height
        return self.figure.add_axes(
            (x / WIDTH, bottom / self.height, width / WIDTH, height / self.height), facecolor="none"
        )

    def text(self, x: float, y: float, text: str, *, size: float = TEXT, color: str = INK, **how: Any) -> None:
        """A line of text on its baseline, y from the top of the sheet."""
        self.paper.text(x, y, text, fontsize=size, color=color, va=how.pop("va", "baseline"), **how)

    def under(self, axes: Axes, text: str) -> None:
        """What the horizontal axis shows, centred below its numbers."""
        box = axes.get_position()
        width = box.width * WIDTH
        middle = (box.x0 + box.x1) / 2 * WIDTH
        y = (1 - box.y0) * self.height + 27
        half = text_width(text, TEXT) / 2
        if half > width / 2:
            middle = min(max(middle, half), WIDTH - half)
        self.text(middle, y, text, ha="center")

    def save(self) -> None:
        """Keep the figure as SVG text."""
        out = io.BytesIO()
        with warnings.catch_warnings():
            # a glyph that DejaVu Sans lacks (Chinese) is in the reader's fonts
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            self.figure.savefig(
                out,
                format="svg",
                transparent=True,
                metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
            )
        self._svg = out.getvalue().decode()

    def svg(self, description: str) -> str:
        """The finished drawing."""
        return framed(_body(self._svg), WIDTH, self.height, self.title, description, shown=WIDTH * _SHOWN)

    def _key(self, key: Key, x: float, y: float) -> None:
        from matplotlib.lines import Line2D
        from matplotlib.patches import Rectangle

        if key.hatch is not None:
            patch = Rectangle((x, y - 4.5), 14, 9, facecolor=key.color, hatch=key.hatch, edgecolor="white", lw=0)
            self.paper.add_patch(patch)
        else:
            self.paper.add_line(
                Line2D(
                    [x, x + 14] if key.style else [x + 7],
                    [y, y] if key.style else [y],
                    color=key.color,
                    linestyle=key.style or "none",
                    marker=key.marker or "none",
                    markersize=5.5,
                    markerfacecolor=key.color if key.filled else "white",
                    linewidth=1.6,
                )
            )
        self.text(x + _KEY, y + 3.2, key.label)


@contextmanager
def sheet(title: str, height: float, *, keys: Sequence[Key] = (), watermark: str = "") -> Iterator[Sheet]:
    """An empty sheet with its title and legend; what is drawn is kept when the block ends."""
    import matplotlib

    with _DRAWING, matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        opened = Sheet(title, keys, height, watermark)
        yield opened
        opened.save()


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from `low` to `high`."""
    from matplotlib.ticker import MaxNLocator

    found = MaxNLocator(about, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    slack = (high - low) * 1e-9
    return [float(x) for x in found if low - slack <= x <= high + slack]


def written(value: float) -> str:
    """A number on an axis.

    >>> written(-0.30000000000000004), written(15000)
    ('−0.3', '15,000')
    """
    return f"{value:,.10g}".replace("-", "−")


def overhang(marks: Sequence[float]) -> float:
    """What the last number of an axis may stand out beyond its end, which is left free at the edge of a sheet."""
    return text_width(written(marks[-1]), SMALL) / 2 if marks else 0.0


def span(values: Sequence[float], margin: float) -> tuple[float, float]:
    """From the least to the greatest with a margin; never empty."""
    low, high = min(values), max(values)
    room = (high - low) * margin or abs(high) * margin or 1.0
    return low - room, high + room


def grid(axes: Axes) -> None:
    """Faint horizontal lines behind the data."""
    axes.grid(axis="y", color=RULE, linewidth=0.4, alpha=0.7)


def _legend(keys: Sequence[Key]) -> list[tuple[Key, int, float]]:
    """Each key with its row and its left edge."""
    places: list[tuple[Key, int, float]] = []
    row, x = 0, 0.0
    for key in keys:
        width = _KEY + text_width(key.label, TEXT)
        if x and x + width > WIDTH:
            row, x = row + 1, 0.0
        places.append((key, row, x))
        x += width + 18
    return places


def _body(svg: str) -> str:
    """What matplotlib drew, without its frame, its global style and the names it does not use."""
    body = svg[svg.index('<g id="figure_1">') : svg.rindex("</svg>")]
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', body))
    name = "c" + digest(body)

    def renamed(match: re.Match[str]) -> str:
        return f' id="{name}-{match[1]}"' if match[1] in used else ""

    body = re.sub(r' id="([^"]+)"', renamed, body)
    body = re.sub(r'(url\(#|href="#)', rf"\1{name}-", body)
    return body.replace("'DejaVu Sans'", FONT_STACK)


def finite(value: float | None) -> bool:
    """Whether there is a number to draw."""
    return value is not None and math.isfinite(value)
