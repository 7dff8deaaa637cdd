"""The flow of participants as CONSORT and TREND draw it: enrolment, who was excluded and why, then the arms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from trialwright.render.measure import wrap
from trialwright.render.svg import GREY, INK, framed, label, nothing, number

SIZE, LEADING, PAD = 13.0, 18.0, 12.0
GAP = 34.0  # between boxes, room for an arrow
INDENT = 12.0  # a wrapped line hangs

Corners = tuple[tuple[float, float], ...]  # the corners of a line

_EDGE, _FILL, _TINT = "#3a3a3a", "#ffffff", "#eaf1f7"


@dataclass(frozen=True, slots=True)
class FlowBox:
    """One box: a title and the lines under it."""

    title: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FlowDiagram:
    """Boxes from top to bottom, the excluded beside the first, and the boxes of each arm by its name."""

    enrolment: tuple[FlowBox, ...]
    excluded: FlowBox | None
    arms: tuple[tuple[str, tuple[FlowBox, ...]], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text as it is drawn, from the left edge of its box."""

    text: str
    left: float
    bold: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """A box with its place and its wrapped lines."""

    x: float
    y: float
    width: float
    height: float
    lines: tuple[Line, ...]
    fill: str = _FILL

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Layout:
    """Every box and every line between them, in the coordinates of the drawing."""

    width: float
    height: float
    boxes: tuple[Placed, ...]
    arrows: tuple[Corners, ...]  # with a head at the end
    bars: tuple[Corners, ...]  # without


def flow_diagram(flow: FlowDiagram, title: str = "Flow of participants", watermark: str = "") -> str:
    """The flow as an SVG; the title is read aloud, not drawn."""
    placed = layout(flow)
    if not placed.boxes:
        return nothing(title, watermark)
    body = "".join(_polyline(points) for points in (*placed.bars, *placed.arrows))
    body += "".join(_head(points[-2], points[-1]) for points in placed.arrows)
    body += "".join(_box(box) for box in placed.boxes)
    height = placed.height
    if watermark:
        body += label(1, height + 16, watermark, 11, fill=GREY)
        height += 22
    return framed(body, placed.width, height, title, _in_words(flow))


def layout(flow: FlowDiagram) -> Layout:
    """Where everything stands."""
    width = max(960.0, 236.0 * len(flow.arms))
    trunk, side = _enrolment(flow, width)
    boxes = [*trunk, *([side] if side else [])]
    arrows: list[Corners] = [
        ((above.middle, above.bottom), (below.middle, below.y)) for above, below in pairwise(trunk)
    ]
    bars: list[Corners] = []
    if side:
        branch = _branch(trunk, side)
        arrows.append(((width / 2, branch), (side.x, branch)))
        if len(trunk) == 1:
            bars.append(((width / 2, trunk[0].bottom), (width / 2, branch)))
    if flow.arms:
        floor = max((box.bottom for box in boxes), default=1 - GAP)
        arms = _arms(flow, width, floor + (GAP * 1.6 if trunk else GAP))
        boxes.extend(box for arm in arms for box in arm)
        arrows.extend(
            ((above.middle, above.bottom), (below.middle, below.y)) for arm in arms for above, below in pairwise(arm)
        )
        if trunk:
            top = arms[0][0].y
            fork = top - GAP * 0.8
            first, last = arms[0][0].middle, arms[-1][0].middle
            bars.append(((width / 2, trunk[-1].bottom), (width / 2, fork)))
            if len(arms) > 1:
                bars.append(((first, fork), (last, fork)))
            arrows.extend(((arm[0].middle, fork), (arm[0].middle, top)) for arm in arms)
    height = max((box.bottom for box in boxes), default=0) + 1
    return Layout(width, height, tuple(boxes), tuple(arrows), tuple(bars))


def _enrolment(flow: FlowDiagram, width: float) -> tuple[list[Placed], Placed | None]:
    """The boxes on the trunk, and the excluded to the right of the gap below the first."""
    trunk: list[Placed] = []
    y = 1.0
    for box in flow.enrolment:
        placed = _place(box, width / 2 - 170, y, 340)
        trunk.append(placed)
        y = placed.bottom + GAP * (1.5 if len(trunk) == 1 and flow.excluded else 1)
    if flow.excluded is None:
        return trunk, None
    left = width / 2 + 170 + 26
    size = _place(flow.excluded, left, 1, width - 1 - left)
    middle = trunk[0].bottom + GAP * 0.75 if trunk else size.height / 2
    return trunk, replace(size, y=max(1.0, middle - size.height / 2))


def _branch(trunk: list[Placed], side: Placed) -> float:
    return trunk[0].bottom + GAP * 0.75 if trunk else side.y + side.height / 2


def _arms(flow: FlowDiagram, width: float, y: float) -> list[list[Placed]]:
    """One column per arm: a band with its name, then its boxes, each as high as the highest of its row."""
    gutter = 28.0
    each = min(440.0, (width - 2 - gutter * (len(flow.arms) - 1)) / len(flow.arms))
    step = (width - 2 - each) / (len(flow.arms) - 1) if len(flow.arms) > 1 else 0.0
    lefts = [1 + n * step if len(flow.arms) > 1 else (width - each) / 2 for n in range(len(flow.arms))]
    columns: list[list[Placed]] = [[] for _ in flow.arms]
    for row in range(1 + max(len(boxes) for _, boxes in flow.arms)):
        placed: list[Placed | None] = []
        for left, (name, boxes) in zip(lefts, flow.arms, strict=True):
            if row == 0:
                placed.append(_place(FlowBox(name), left, y, each, fill=_TINT))
            else:
                placed.append(_place(boxes[row - 1], left, y, each) if row <= len(boxes) else None)
        height = max(box.height for box in placed if box)
        for column, box in zip(columns, placed, strict=True):
            if box:
                column.append(replace(box, height=height))
        y += height + (GAP * 0.7 if row == 0 else GAP)
    return columns


def _place(box: FlowBox, x: float, y: float, width: float, fill: str = _FILL) -> Placed:
    """A box as high as its text needs."""
    room = width - 2 * PAD
    lines = [Line(text, PAD, True) for text in wrap(box.title, room, SIZE, bold=True)]
    for line in box.lines:
        first, *rest = wrap(line, room - INDENT, SIZE)
        lines.append(Line(first, PAD, False))
        lines.extend(Line(text, PAD + INDENT, False) for text in rest)
    return Placed(x, y, width, 2 * PAD + LEADING * len(lines) - 4, tuple(lines), fill)


def _box(box: Placed) -> str:
    drawn = (
        f'<rect x="{number(box.x)}" y="{number(box.y)}" width="{number(box.width)}" height="{number(box.height)}"'
        f' rx="2" fill="{box.fill}" stroke="{_EDGE}" stroke-width="1"/>\n'
    )
    for n, line in enumerate(box.lines):
        drawn += label(
            box.x + line.left, box.y + PAD + LEADING * n + SIZE - 2, line.text, SIZE, bold=line.bold, fill=INK
        )
    return drawn


def _polyline(points: Corners) -> str:
    way = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    return f'<polyline points="{way}" fill="none" stroke="{_EDGE}" stroke-width="1.2"/>\n'


def _head(start: tuple[float, float], end: tuple[float, float]) -> str:
    """An arrowhead as a shape of its own: a shared marker would need an id."""
    x, y = end
    if start[0] == end[0]:
        corners = ((x, y), (x - 4.5, y - 9), (x + 4.5, y - 9))
    else:
        corners = ((x, y), (x - 9, y - 4.5), (x - 9, y + 4.5))
    way = " ".join(f"{number(a)},{number(b)}" for a, b in corners)
    return f'<polygon points="{way}" fill="{_EDGE}"/>\n'


def _in_words(flow: FlowDiagram) -> str:
    def words(box: FlowBox) -> str:
        return ": ".join(part for part in (box.title, "; ".join(box.lines)) if part)

    parts = [words(box) for box in flow.enrolment]
    if flow.excluded:
        parts.insert(1, words(flow.excluded))
    parts.extend(f"{name}: " + ". ".join(words(box) for box in boxes) for name, boxes in flow.arms)
    return ". ".join(parts)
