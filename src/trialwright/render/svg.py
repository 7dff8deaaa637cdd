"""What every drawing shares: an accessible frame, a name of its own for its parts, and an empty one."""

from __future__ import annotations

import hashlib

from markupsafe import escape

from trialwright.render.measure import FONT_STACK, wrap

INK, GREY, RULE = "#1a1a1a", "#6b6b6b", "#b5b5b5"


def framed(body: str, width: float, height: float, title: str, description: str, shown: float | None = None) -> str:
    """An SVG element with a title and a description for those who cannot see it, at most `shown` pixels wide."""
    name = "g" + digest(title, description, body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" class="drawing" role="img"'
        f' aria-labelledby="{name}-t {name}-d" viewBox="0 0 {number(width)} {number(height)}" width="100%"'
        f' style="max-width:{number(shown or width)}px;height:auto" font-family="{escape(FONT_STACK)}"'
        f' stroke-linejoin="round" stroke-linecap="butt">\n<title id="{name}-t">{escape(title)}</title>\n'
        f'<desc id="{name}-d">{escape(description)}</desc>\n{body}</svg>\n'
    )


def digest(*parts: str) -> str:
    """A short name that depends on the content alone."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:10]


def number(value: float) -> str:
    """A coordinate with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


def label(
    x: float, y: float, text: str, size: float, *, bold: bool = False, fill: str = INK, anchor: str = "start"
) -> str:
    """One line of text; x is its start, middle or end, y its baseline."""
    weight = ' font-weight="700"' if bold else ""
    place = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return (
        f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}" fill="{fill}"{weight}{place}>'
        f"{escape(text)}</text>\n"
    )


def nothing(title: str, watermark: str = "") -> str:
    """The drawing of an empty data set: its title and a plain note."""
    width, lines = 720.0, wrap(title, 720, 15, bold=True)
    body = "".join(label(0, 18 + 20 * n, line, 15, bold=True) for n, line in enumerate(lines))
    top = 18 + 20 * len(lines)
    body += (
        f'<rect x="0.5" y="{number(top)}" width="{number(width - 1)}" height="64" fill="none" stroke="{RULE}"'
        f' stroke-dasharray="4 4"/>\n' + label(width / 2, top + 37, "No data", 14, fill=GREY, anchor="middle")
    )
    height = top + 72.0
    if watermark:
        body += label(0, height + 12, watermark, 11, fill=GREY)
        height += 20
    return framed(body, width, height, title, "There is no data to show.")
