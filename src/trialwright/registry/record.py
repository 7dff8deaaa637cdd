"""A registry record: a ClinicalTrials.gov v2 study, where each field was found, and what is doubtful in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from trialwright.core.finding import Finding, Where

#: A study, or a part of one, as JSON has it.
Json = Any
Form = Literal["json", "xml", "page"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was found.

    In a page: `line` from 1, and the characters `start` to `end` of the whole page (from 0, the end not included),
    so that `page[start:end]` is what stood there. In JSON and XML: `path`, a JSON pointer or an XPath.
    """

    line: int = 0
    start: int = 0
    end: int = 0
    path: str = ""

    def __str__(self) -> str:
        return f"line {self.line}, characters {self.start} to {self.end}" if self.line else self.path


@dataclass(frozen=True, slots=True)
class Record:
    """What a reader made of one record: `study` as JSON has it, in the shape of API v2.

    `places` takes a JSON pointer into the study; `findings` name such a pointer in `where.path`.
    """

    study: dict[str, Json]
    places: Mapping[str, Place]
    findings: tuple[Finding, ...]
    name: str
    form: Form


class Locate(Protocol):
    """From a pointer to where it stood; `words` are looked for from there, or from where `near` stood."""

    def __call__(self, pointer: str, words: str = "", near: str = "") -> Where: ...


class SamePlaces(Mapping[str, Place]):
    """The places of a record that was JSON already: each leaf lies where its pointer says."""

    def __init__(self, study: Json) -> None:
        self._study = study

    def __getitem__(self, pointer: str) -> Place:
        at(self._study, pointer)
        return Place(path=pointer)

    def __iter__(self) -> Iterator[str]:
        return (pointer for pointer, _ in leaves(self._study))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def leaves(value: Json, pointer: str = "") -> Iterator[tuple[str, Json]]:
    """Every value that is no object and no list, with its JSON pointer.

    >>> list(leaves({"a": [{"b/c": 1}]}))
    [('/a/0/b~1c', 1)]
    """
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{pointer}/{escaped(key)}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{pointer}/{index}")
    else:
        yield pointer, value


def at(study: Json, pointer: str) -> Json:
    """The value at a JSON pointer; KeyError where nothing stands there."""
    value = study
    plain = "~" not in pointer
    for part in pointer.split("/")[1:]:
        if isinstance(value, dict):
            value = value[part if plain else part.replace("~1", "/").replace("~0", "~")]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise KeyError(pointer)
    return value


def look(study: Json, pointer: str) -> Json:
    """The value at a JSON pointer, or None."""
    try:
        return at(study, pointer)
    except KeyError:
        return None


def below(value: Json, keys: tuple[str, ...]) -> Json:
    """The value below some keys, one object inside the other; None where one of them is missing.

    >>> below({"a": {"b": 1}}, ("a", "b")), below({"a": 1}, ("a", "b"))
    (1, None)
    """
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def put(study: dict[str, Json], pointer: str, value: Json) -> None:
    """Write a value at a JSON pointer; objects and lists on the way are made, lists grow by one at most.

    >>> study = {}
    >>> put(study, "/a/0/b", 1)
    >>> study
    {'a': [{'b': 1}]}
    """
    parts = pointer.split("/")[1:]
    inner: Json = study
    for part, following in zip(parts, [*parts[1:], ""], strict=True):
        fresh: Json = value if not following else [] if following.isdigit() else {}
        if isinstance(inner, list):
            place = int(part)
            if place == len(inner):
                inner.append(fresh)
            elif not following:
                inner[place] = value
            inner = inner[place]
        elif following:
            inner = inner.setdefault(part, fresh)
        else:
            inner[part] = value


def in_order(study: dict[str, Json]) -> dict[str, Json]:
    """The same study with its keys in the order in which the registry prints them."""
    from trialwright.registry.shape import OBJECTS

    def sort(value: Json, kind: str) -> Json:
        if isinstance(value, list):
            return [sort(each, kind.strip("[]")) for each in value]
        keys = OBJECTS.get(kind)
        if keys is None or not isinstance(value, dict):
            return value
        return {key: sort(value[key], keys.get(key, "")) for key in sorted(value, key=[*keys, *value].index)}

    protocol = sort(study.get("protocolSection", {}), "ProtocolSection")
    return {"protocolSection": protocol, **{key: study[key] for key in study if key != "protocolSection"}}


def escaped(key: str) -> str:
    """A key as a part of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key
