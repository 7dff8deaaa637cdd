"""How numbers and names are printed: with enough digits to read, never more than they mean; no threshold is rounded."""

from __future__ import annotations

from markupsafe import Markup

from trialwright.analysis.results import Figure


def count(value: float) -> str:
    """A count."""
    return f"{value:.0f}"


def decimal(value: float | None, places: int = 2) -> str:
    """A number with so many places, or a dash where there is none."""
    return "–" if value is None else f"{value:.{places}f}".replace("-", "−")


def percent(value: float | None) -> str:
    """A proportion as per cent with one place."""
    return "–" if value is None else f"{100 * value:.1f} %"


def is_proportion(figure: Figure) -> bool:
    """Whether the figure is a share of its denominator."""
    return figure.scale == "proportion"


def estimate(figure: Figure) -> str:
    """The estimate as the figure wants to be read."""
    if figure.scale == "p value":
        return "–"
    if figure.scale == "women":
        return "–" if figure.estimate is None else count(figure.estimate)
    return percent(figure.estimate) if is_proportion(figure) else decimal(figure.estimate)


def limits(figure: Figure) -> str:
    """The interval, or a dash where none exists."""
    if figure.lower is None or figure.upper is None:
        return "–"
    if is_proportion(figure):
        return f"{decimal(100 * figure.lower, 1)} to {decimal(100 * figure.upper, 1)} %"
    return f"{decimal(figure.lower)} to {decimal(figure.upper)}"


def words(name: str) -> str:
    """A name of the protocol as it is read: `per_protocol` is "per protocol"."""
    return name.replace("_", " ")


def whole(text: str) -> Markup:
    """A text that is not broken at the end of a line, as a date; an hour stands apart from its day."""
    return Markup('<span style="white-space:nowrap">{}</span>').format(
        text.replace("T", " ") if text[:1].isdigit() else text
    )


def plural(number: int, one: str, several: str = "") -> str:
    """A number with its noun.

    >>> plural(1, "transfer"), plural(0, "transfer"), plural(2, "woman", "women")
    ('1 transfer', '0 transfers', '2 women')
    """
    return f"{number} {one if number == 1 else several or f'{one}s'}"
