"""A mapping: which column of a spreadsheet fills what, in which unit, and what its words mean; saved and reused."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trialwright.core import units
from trialwright.core.finding import Finding, Refused, finding
from trialwright.exchange.sheet import Sheet
from trialwright.language.vocabulary import Item
from trialwright.protocol.naming import nearest
from trialwright.protocol.protocol import Protocol, label

#: What a row of the file may be, beside a record of some kind.
ANSWERS, SCREENING = "answers", "screening"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Part):
    """Where a value comes from: a column, or one value for every row."""

    column: str = ""
    constant: str = ""


class Fill(_Part):
    """One item or field, what fills it, in which unit, and what the words of the file mean.

    `target` is an item, `partner.item`, `item~attribute`, or a field of the record kind that the rows are.
    """

    target: str
    column: str = ""
    constant: str = ""
    unit: str = ""
    means: dict[str, str] = Field(
        default_factory=dict, description="Word of the file to word of the protocol; or to nothing."
    )


class Mapping(_Part):
    """How the rows of one kind of spreadsheet become commands."""

    rows: str = Field(default=ANSWERS, description="`answers`, `screening`, or a kind of record.")
    participant: Source = Source()
    day: Source = Source()
    parent: Source = Source()
    number: Source = Source()
    fills: tuple[Fill, ...] = ()


def digest(mapping: Mapping) -> str:
    """The digest by which a mapping is told from another one."""
    return hashlib.sha256(json.dumps(mapping.model_dump(), sort_keys=True).encode()).hexdigest()


def to_yaml(mapping: Mapping) -> str:
    """The mapping as a file."""
    return str(yaml.safe_dump(mapping.model_dump(exclude_defaults=True), allow_unicode=True, sort_keys=False))


def from_yaml(text: str) -> Mapping:
    """The mapping of a file; `Refused` says what is wrong with it."""
    try:
        return Mapping.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as wrong:
        why = str(getattr(wrong, "problem", "") or "is no YAML")
        raise Refused(finding("import_mapping_unreadable", path="The file", why=why)) from wrong
    except ValidationError as wrong:
        found = [
            finding("import_mapping_unreadable", path=".".join(map(str, one["loc"])) or "The file", why=one["msg"])
            for one in wrong.errors(include_url=False)
        ]
        raise Refused(*found) from wrong


def targets(protocol: Protocol, rows: str) -> dict[str, Item]:
    """What the rows may fill: items, with those of relatives and attributes, or the fields of a kind of record."""
    vocabulary = protocol.vocabulary
    if rows == SCREENING:
        return {}
    if rows != ANSWERS:
        return dict(vocabulary.records[rows].fields) if rows in vocabulary.records else {}
    found = {name: item for name, item in vocabulary.items.items() if item.kind != "age"}
    for person, names in vocabulary.relatives.items():
        found |= {f"{person}.{name}": vocabulary.items[name] for name in sorted(names)}
    for name, item in list(found.items()):
        found |= {f"{name}~{attribute}": one for attribute, one in item.attributes.items()}
    return found


def target_label(protocol: Protocol, rows: str, target: str, language: str = "en") -> str:
    """How a target is called, in the reader's language."""
    name, _, attribute = target.partition("~")
    person, _, item = name.rpartition(".")
    fields = protocol.document.records[rows].fields if rows in protocol.document.records else {}
    told = fields[item].label if item in fields else None
    text = label(protocol, item, language) if told is None else (language == "zh" and told.zh) or told.en
    return text + (f", {person}" if person else "") + (f", {attribute.replace('_', ' ')}" if attribute else "")


def faults(mapping: Mapping, protocol: Protocol, sheet: Sheet) -> list[Finding]:
    """What is wrong with a mapping for this protocol and this file, before any row is looked at."""
    found: list[Finding] = []
    kinds = {ANSWERS, SCREENING, *protocol.vocabulary.records}
    if mapping.rows not in kinds:
        return [_unknown(mapping.rows, "kinds of row", kinds)]
    for what, source in (("who the participant is", mapping.participant), ("the day", mapping.day)):
        if not source.column and not source.constant:
            found.append(finding("import_mapping_incomplete", what=what))
    if mapping.rows != SCREENING and not mapping.fills:
        found.append(finding("import_mapping_incomplete", what="what any column fills"))
    may_fill = targets(protocol, mapping.rows)
    for fill in mapping.fills:
        if fill.target not in may_fill:
            found.append(_unknown(fill.target, "things that a row may fill", may_fill))
        elif fill.unit and units.understood(fill.unit) is None:
            found.append(finding("import_mapping_names", name=fill.unit, what="units", nearest=""))
    sources = (mapping.participant, mapping.day, mapping.parent, mapping.number)
    for column in (*(one.column for one in sources), *(one.column for one in mapping.fills)):
        if column and column not in sheet.columns:
            found.append(_unknown(column, "columns of the file", sheet.columns))
    return found


def _unknown(name: str, what: str, among: Iterable[str]) -> Finding:
    return finding("import_mapping_names", name=f"“{name}”", what=what, nearest=nearest(name, among))


# ---------------------------------------------------------------- a first proposal

_WHO = (
    "participant",
    "pseudonym",
    "subject",
    "subject id",
    "patient",
    "id",
    "编号",
    "受试者编号",
    "受试者",
    "筛选号",
    "研究编号",
)
_WHEN = (
    "date",
    "day",
    "visit date",
    "date of visit",
    "sample date",
    "日期",
    "检查日期",
    "采血日期",
    "采样日期",
    "访视日期",
)
_NUMBER = ("number", "no", "no.", "oocyte", "embryo", "#", "序号", "卵号", "胚胎号", "胚胎编号", "卵子编号")
_YES = ("yes", "y", "true", "是", "有", "+")
_NO = ("no", "n", "false", "否", "无", "-")
_NEAR = 0.82


def proposed(protocol: Protocol, sheet: Sheet, rows: str = ANSWERS) -> Mapping:
    """A mapping by the nearest names: a beginning for whoever knows the file."""
    may_fill = targets(protocol, rows)
    names = {_plain(text): target for target in may_fill for text in _names(protocol, rows, target)}
    parent = protocol.vocabulary.records[rows].parent if rows in protocol.vocabulary.records else ""
    above = {_plain(text) for text in _names(protocol, "", parent)} if parent else set()
    fills: list[Fill] = []
    told: dict[str, Source] = {}
    for column in sheet.columns:
        plain = _plain(column)
        if not plain:
            continue
        for role, words in (("participant", _WHO), ("day", _WHEN), ("number", _NUMBER), ("parent", above)):
            if role not in told and plain in {_plain(word) for word in words} and (role != "number" or parent):
                told[role] = Source(column=column)
                break
        else:
            target = names.get(plain) or _nearest(plain, names)
            if target and target not in {fill.target for fill in fills}:
                fills.append(_fill(column, target, may_fill[target], sheet))
    return Mapping.model_validate({"rows": rows, "fills": fills, **told})


def _names(protocol: Protocol, rows: str, target: str) -> Iterator[str]:
    """Every name that a column for a target may bear: of the protocol, English or Chinese."""
    yield target
    yield target_label(protocol, rows, target)
    kind = protocol.document.records.get(rows)
    part: Any = kind.fields.get(target) if kind else None
    part = part or protocol.document.items.get(target) or protocol.document.records.get(target)
    if part is not None and part.label.zh:
        yield part.label.zh


def _plain(text: str) -> str:
    """A header without its unit in brackets, without blanks and in small letters."""
    return re.sub(r"[\s_]+", " ", re.sub(r"[(（\[].*?[)）\]]", " ", text)).strip().lower()


def _nearest(plain: str, names: dict[str, str]) -> str:
    near = difflib.get_close_matches(plain, list(names), 1, _NEAR)
    return names[near[0]] if near else ""


def _fill(column: str, target: str, item: Item, sheet: Sheet) -> Fill:
    said = re.search(r"[(（\[]([^)）\]]+)[)）\]]", column)
    unit = units.understood(said[1].strip()) if said and item.kind in ("quantity", "count") else None
    means = {}
    if item.kind in ("yes_no", "attestation"):
        for word in words_of(sheet, column):
            low = word.lower()
            if low in (*_YES, *_NO) and low not in ("yes", "no"):
                means[word] = "yes" if low in _YES else "no"
    return Fill(target=target, column=column, unit=unit.code if unit else "", means=means)


def words_of(sheet: Sheet, column: str, most: int = 12) -> list[str]:
    """The different texts of a column, in the order in which they come."""
    if column not in sheet.columns:
        return []
    index = sheet.columns.index(column)
    return list(dict.fromkeys(row.cells[index] for row in sheet.rows if row.cells[index]))[:most]
