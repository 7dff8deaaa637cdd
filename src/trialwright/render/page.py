"""A whole document: one HTML file that needs nothing else, with its banner on every printed page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from trialwright.core.hidden import visible


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page; `body_html` is HTML already, and level 1 is the highest below the title."""

    id: str
    title: str
    body_html: str
    level: int = 1

    def __post_init__(self) -> None:
        if self.level not in (1, 2, 3):
            raise ValueError(f"section {self.id!r} has level {self.level}; a page has levels 1 to 3")


def page(title: str, sections: Sequence[Section], banner: str, footer: str) -> str:
    """The document as text. An empty banner leaves it out; ids that repeat are a ValueError.

    Characters that nobody sees, and that turn the order of the others, stand as marks wherever a text held them.
    """
    ids = [section.id for section in sections]
    twice = {each for each in ids if ids.count(each) > 1}
    if twice:
        raise ValueError(f"several sections have the id {', '.join(sorted(twice))}")
    return visible(_template().render(title=title, sections=sections, banner=banner, footer=footer, style=_style()))


def figure(drawing: str, caption: str) -> str:
    """A drawing (HTML already) with its caption."""
    return f'<figure class="chart">\n{drawing}<figcaption>{escape(caption)}</figcaption>\n</figure>\n'


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_file("page.html"))


@cache
def _style() -> Markup:
    return Markup(_file("style.css"))


def _file(name: str) -> str:
    return (resources.files("trialwright.render") / name).read_text("utf-8")
