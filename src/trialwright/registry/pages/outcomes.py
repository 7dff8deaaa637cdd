"""Outcomes: measure, time frame and description, from lists, tables, and rows whose borders were lost."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from trialwright.core.finding import Grade
from trialwright.registry import values
from trialwright.registry.pages.blocks import Block
from trialwright.registry.pages.draft import Draft, short
from trialwright.registry.pages.lexicon import column_of
from trialwright.registry.pages.lines import Line, cells
from trialwright.registry.pages.time_frame import ANCHOR, frames, is_time_frame, starts_as_time_frame
from trialwright.registry.record import look

_OUTCOMES = "/protocolSection/outcomesModule"
_LISTS = {"primary": "primaryOutcomes", "secondary": "secondaryOutcomes", "other_outcomes": "otherOutcomes"}
_MARKED = re.compile(r"[\[(]\s*time[\s-]?frame\s*:\s*", re.IGNORECASE)
_GLUED_HEAD = re.compile(
    r"(?:Name|Measure|Outcome|Title)\s*(?:Time(?:[ -]?Frame)?|Timepoint)\s*(?:Method|Description)", re.IGNORECASE
)
_LABEL = re.compile(r"(?P<label>[A-Za-z ]{3,28}?)\s*:\s*(?P<value>.*)")
_SEAM = re.compile(r"(?<=[^\s(\[\"'“/,-])(?=[A-Z0-9\"“])")


@dataclass
class _Outcome:
    measure: Line
    time: Line | None = None
    text: list[Line] = field(default_factory=list)
    doubt: str = ""


def read_outcomes(draft: Draft, found: list[Block]) -> None:
    """The outcomes of every rank; a page that does not say the rank gets a finding for each."""
    for block in found:
        if block.key in (*_LISTS, "outcomes"):
            read = _outcomes(block)
            draft.use(*block.lines)
            if block.key == "outcomes":
                _without_rank(draft, read)
            else:
                _write(draft, _LISTS[block.key], read)


def _write(draft: Draft, into: str, read: list[_Outcome]) -> None:
    before = len(look(draft.study, f"{_OUTCOMES}/{into}") or [])
    for index, one in enumerate(read, before):
        at = f"{_OUTCOMES}/{into}/{index}"
        draft.set(f"{at}/measure", draft.clean(one.measure.text), one.measure)
        if text := draft.joined(one.text):
            draft.set(f"{at}/description", text, *one.text)
        if one.time is not None and not values.is_nothing(one.time.text):
            draft.set(f"{at}/timeFrame", draft.clean(one.time.text), one.time)
        if one.doubt:
            draft.find(one.doubt, one.measure, at, Grade.WARNING, row=short(one.measure.text))


def _without_rank(draft: Draft, read: list[_Outcome]) -> None:
    """A list that says no rank: registries print the primary outcomes first, and each trial has one at least."""
    _write(draft, "primaryOutcomes", read[:1])
    _write(draft, "secondaryOutcomes", read[1:])
    for index, one in enumerate(read):
        place = "primaryOutcomes/0" if index == 0 else f"secondaryOutcomes/{index - 1}"
        draft.find(
            "record_rank_lost",
            one.measure,
            f"{_OUTCOMES}/{place}",
            Grade.WARNING,
            measure=short(one.measure.text),
            rank="primary" if index == 0 else "secondary",
        )


def _outcomes(block: Block) -> list[_Outcome]:
    body = [line for line in block.lines if line.text]
    if not body or values.is_nothing(" ".join(line.text for line in body)):
        return []
    first = body[0]
    columns = [column_of(cell.text, ("measure", "time", "method")) for cell in cells(first)]
    if len(columns) > 1 and all(columns):
        return _table(columns, body[1:])
    if any(_MARKED.search(line.text) for line in body):
        return _marked(body)
    if head := _GLUED_HEAD.match(first.text):
        rest = first.part(head.end(), len(first.text))
        glued = not re.search(r"\s", head[0])
        rows = ([rest] if rest.text else []) + body[1:]
        return _glued(block.lines[block.lines.index(first) + 1 :], rows) if glued else _flattened(rows)
    if sum(_labelled(line) is not None for line in body) >= len(body) / 3:
        return _of_labels(body)
    if len(body) >= 3 and [column_of(line.text, ("measure", "time", "method")) for line in body[:3]] == [
        "measure",
        "time",
        "method",
    ]:
        return _flattened(body[3:])
    if all("|" in line.text for line in body):
        last = sum(is_time_frame(cells(line)[-1].text) for line in body)
        guessed: list[str | None] = (
            ["measure", "method", "time"] if last * 2 > len(body) else ["measure", "time", "method"]
        )
        made = _table(guessed, body)
        for one in made:
            one.doubt = one.doubt or "record_row_flattened"
        return made
    return _loose(body)


def _marked(body: list[Line]) -> list[_Outcome]:
    """`Measure [Time Frame: when] Description`, the measure perhaps on the line before, the text on lines after."""
    made: list[_Outcome] = []
    waiting: list[Line] = []
    for place, line in enumerate(body):
        if (mark := _MARKED.search(line.text)) is None:
            following = body[place + 1].text if place + 1 < len(body) else ""
            starts = _MARKED.match(following) is not None
            if made and not starts:
                made[-1].text.append(line)
            else:
                waiting.append(line)
            continue
        close = _closing(line.text, mark.start())
        before = line.part(0, mark.start())
        measure = before if before.text else (waiting.pop() if waiting else line)
        rest = line.part(close + 1, len(line.text))
        doubt = "record_row_seam" if _MARKED.search(rest.text) else ""
        made.append(_Outcome(measure, line.part(mark.end(), close), [rest] if rest.text else [], doubt))
    return made


def _closing(text: str, start: int) -> int:
    """Where the bracket that opens at `start` is closed."""
    pair = {"[": "]", "(": ")"}[text[start]]
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] == text[start]) - (text[place] == pair)
        if depth == 0:
            return place
    return len(text)


def _labelled(line: Line) -> tuple[str, Line] | None:
    if (found := _LABEL.fullmatch(line.text)) and (key := column_of(found["label"], ("measure", "time", "method"))):
        return key, line.part(*found.span("value"))
    return None


def _of_labels(body: list[Line]) -> list[_Outcome]:
    """Each value on a line with its label; a measure, labelled or not, begins the next outcome."""
    made: list[_Outcome] = []
    for place, line in enumerate(body):
        key, value = _labelled(line) or ("", line)
        later = _labelled(body[place + 1]) if place + 1 < len(body) else None
        if key == "measure" or (not key and later is not None and later[0] == "time"):
            made.append(_Outcome(value))
        elif not made:
            made.append(_Outcome(value, doubt="record_row_unread"))
        elif key == "time":
            made[-1].time = value
        elif value.text:
            made[-1].text.append(value)
    return made


def _table(columns: list[str | None], body: list[Line]) -> list[_Outcome]:
    made: list[_Outcome] = []
    for line in body:
        row = cells(line)
        if not re.search(r"\w", line.text):
            continue
        if len(row) == 1 and made:
            made[-1].text.append(line)
            continue
        by = {key: cell for key, cell in zip(columns, row, strict=False) if key}
        if "measure" in by:
            one = _Outcome(
                by["measure"], by.get("time"), [by["method"]] if "method" in by and by["method"].text else []
            )
            one.doubt = "record_row_unread" if len(row) > len(columns) else ""
            made.append(one)
    return made


def _flattened(rows: list[Line]) -> list[_Outcome]:
    """Rows whose cells have only blanks between: the time frame is told by its words, and a finding says so."""
    made: list[_Outcome] = []
    others = [row.text for row in rows]
    for place, row in enumerate(rows):
        likely = frames(row.text, [*others[max(0, place - 30) : place], *others[place + 1 : place + 31]])
        if row.blank_after:  # the last cell was empty, so the time frame ends the row
            closing = [one for one in likely if one.end == len(row.text)]
            likely = closing or likely
        if not likely:
            if made and len(row.text) > 60 and not made[-1].doubt.startswith("record_row_unread"):
                made[-1].text.append(row)
            else:
                made.append(_Outcome(row, doubt="record_row_unread"))
            continue
        best = likely[0]
        rest = row.part(best.end, len(row.text))
        one = _Outcome(row.part(0, best.start), row.part(best.start, best.end), [rest] if rest.text else [])
        if not one.measure.text:
            one = _Outcome(row, doubt="record_row_unread")
        one.doubt = one.doubt or "record_row_flattened"
        made.append(one)
    return made


def _glued(lines: list[Line], rows: list[Line]) -> list[_Outcome]:
    """Measure and time frame glued on one line, an empty line, and the description: `CRP2 weeks`."""
    made: list[_Outcome] = []
    blanks = 0
    heads = {row.index for row in rows}
    for line in lines:
        if not line.text:
            blanks += 1
            continue
        if line.index not in heads:
            continue
        cut = _seam(line.text)
        described = bool(made) and not made[-1].text and blanks == 1  # one empty line, then the description
        timed = cut is not None and starts_as_time_frame(line.text[cut[0] :])
        if cut is not None and not described and (timed or not made or blanks != 1):
            place, doubtful = cut
            made.append(
                _Outcome(
                    line.part(0, place), line.part(place, len(line.text)), doubt="record_row_seam" if doubtful else ""
                )
            )
        elif made and (blanks or made[-1].text):
            made[-1].text.append(line)
        else:
            made.append(_Outcome(line, doubt="record_row_unread"))
        blanks = 0
    return made


def _seam(text: str) -> tuple[int, bool] | None:
    """Where a measure ends and its time frame begins, and whether there is doubt; None where no seam is seen."""
    if len(text) > 1500:
        return None
    seams = [found.start() for found in _SEAM.finditer(text) if _is_seam(text, found.start())]
    inside = {place for place in seams if text[place - 1].isdigit() and text[place].isdigit()}
    timed = [place for place in seams if is_time_frame(text[place:])]
    clear = [place for place in timed if place not in inside]
    begun = [place for place in seams if place not in inside and starts_as_time_frame(text[place:])]
    if clear or begun:
        first = min(clear + begun)
        return first, first not in clear or (len(clear) > 1 and text[first - 1].isdigit())
    if timed:
        return timed[0], True
    turns = [
        place for place in seams if text[place].isupper() and (text[place - 1].islower() or text[place - 1] in ").%")
    ]
    turns = [
        place
        for place in turns
        if len(text) - place > 3 and ANCHOR.search(text[place:]) and len(re.split(r"\s", text[:place])[-1]) > 2
    ]
    if not turns:
        return None
    return turns[0] if len(turns) == 1 else turns[-1], True


def _is_seam(text: str, place: int) -> bool:
    """Whether words can have been glued here; between two capitals only where the second begins a word."""
    both = text[place - 1].isupper() and text[place].isupper()
    return not both or text[place + 1 : place + 2].islower()


def _loose(body: list[Line]) -> list[_Outcome]:
    """Lines without marks: name, time frame, description in turn where the second of each is a time frame."""
    made: list[_Outcome] = []
    for place, line in enumerate(body):
        following = body[place + 1].text if place + 1 < len(body) else ""
        if is_time_frame(line.text) and made and made[-1].time is None:
            made[-1].time = line
        elif is_time_frame(following) or not made:
            made.append(_Outcome(line, doubt="record_row_flattened"))
        elif made[-1].time is not None:
            made[-1].text.append(line)
        else:
            made.append(_Outcome(line, doubt="record_row_flattened"))
    return made
