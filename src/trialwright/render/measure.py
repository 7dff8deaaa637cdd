"""How wide a text will be, never too little: the advances of DejaVu Sans, the widest font of the stacks here."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

#: Metric-compatible with Helvetica nearly everywhere, so that what is measured here is what is shown.
FONT_STACK = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'Noto Sans CJK SC', 'PingFang SC', sans-serif"

_GLUE = "\u00a0"  # a blank at which no line ends

# thousandths of an em for U+0020 to U+007E
_REGULAR = (
    "318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636 636 636 636 636 636 337 "
    "337 838 838 838 531 1000 684 686 698 770 632 575 775 752 295 295 656 557 863 748 787 603 787 695 635 611 732 "
    "684 989 685 611 685 390 337 390 838 500 500 613 635 550 635 615 352 635 634 278 278 579 278 974 634 612 635 "
    "635 411 521 392 634 592 818 592 592 525 636 337 636 838"
)
_BOLD = (
    "348 456 521 838 696 1002 872 306 457 457 523 838 380 415 380 365 696 696 696 696 696 696 696 696 696 696 400 "
    "400 838 838 838 580 1000 774 762 734 830 683 683 821 837 372 372 775 637 995 837 850 733 850 770 720 682 812 "
    "774 1103 771 724 725 457 365 457 838 500 500 675 716 593 716 678 435 716 712 343 343 665 343 1042 712 687 716 "
    "716 493 595 478 712 652 924 645 652 582 712 365 712 838"
)
_ADVANCE = {
    bold: {chr(32 + n): int(width) / 1000 for n, width in enumerate(widths.split())}
    for bold, widths in ((False, _REGULAR), (True, _BOLD))
}


def text_width(text: str, size: float, bold: bool = False) -> float:
    """The width of one line, in the unit of `size`.

    >>> text_width("ITT", 10) < text_width("ITT", 10, bold=True)
    True
    """
    return size * sum(_advance(each, bold) for each in text)


@lru_cache(maxsize=4096)
def _advance(character: str, bold: bool) -> float:
    known = _ADVANCE[bold].get(" " if character == _GLUE else character)
    if known is not None:
        return known
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    letter = unicodedata.normalize("NFD", character)[0]
    return _ADVANCE[bold].get(letter, 1.0)


def wrap(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    """The lines of a text, none wider than `width`; words that are too long are broken, `(n = 5)` is not.

    >>> wrap("declined to participate", 60, 10)
    ['declined to', 'participate']
    """
    lines = [""]
    for word in _pieces(text, width, size, bold):
        longer = lines[-1] + word
        if lines[-1] and text_width(longer.rstrip(), size, bold) > width:
            longer = word
            lines.append("")
        lines[-1] = longer
    return [line.rstrip().replace(_GLUE, " ") for line in lines]


def _pieces(text: str, width: float, size: float, bold: bool) -> list[str]:
    """Words with the blank that follows them, an ideograph by itself, and the parts of what is too long."""
    pieces: list[str] = []
    text = re.sub(r"\bn = (?=\d)", f"n{_GLUE}={_GLUE}", text)
    text = re.sub(r"(?<=\S) (?=\(\d+\))", _GLUE, text)
    for word in re.split(r"[ \t\r\n]+", text.strip()):
        part = ""
        for character in word:
            wide = unicodedata.east_asian_width(character) in "WF"
            if part and (wide or text_width(part + character, size, bold) > width):
                pieces.append(part)
                part = ""
            part += character
            if wide:
                pieces.append(part)
                part = ""
        pieces.append(part)
        pieces[-1] += " "
    return pieces
