"""Where a time frame stands in a row that has lost its borders: a run of words about time, bounded by capitals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from trialwright.registry.pages.lexicon import words

_UNIT = r"(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|hr|h|days?|weeks?|wks?|months?|mos?|years?|yrs?|cycles?|visits?)"
_NUMBER = (
    r"(?:\d+(?:[.,:]\d+)*(?:st|nd|rd|th)?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|"
    r"first|second|third|last|½)"
)
_TOKEN = re.compile(r"[(\[\"'“]*(?P<core>[^\s()\[\]\"'“”,;:]+(?:[:.,]\d+)*)[)\]\"'”,;:.]*|\S+")
_TIMED = re.compile(
    rf"^(?:{_NUMBER}(?:-{_NUMBER})?-?{_UNIT}?|{_UNIT}-?\d+(?:[-/]\d+)*|\d+(?:[-–/]\d+)+|[dwmy]\d+|q\d+[dwm]|{_UNIT}/\w+)$",
    re.IGNORECASE,
)
ANCHOR = re.compile(
    rf"\d[\d.,:]{{0,8}}\s?-?\s?(?:to|-|–|and|,|\+)?\s?\d{{0,4}}\s?-?{_UNIT}\b|\b{_UNIT}\s*-?\s*\d|\b(?:first|second|third|one|two|three|six|twelve)\s+(?:and\s+\w+\s+)?{_UNIT}\b|"
    r"\bbaseline\b|\bthroughout\b|\bthrough (?:study|treatment)|\bday of\b|\bdischarge\b|"
    r"\b(?:study|treatment|trial) (?:period|duration|completion)\b|"
    r"\bend of (?:the )?(?:study|treatment|trial|surgery)\b|"
    r"\b(?:during|after|before) (?:the )?(?:surgery|procedure|operation|treatment|hospital\w*|intervention)\b|\d{4}",
    re.IGNORECASE,
)
#: Characters of a time frame, and of a row; the registry takes 254 and some 1,300.
_LONGEST, _LONGEST_ROW = 500, 6000
_TIME = words("time")
_WORDS, _LINKS, _STARTERS, _LEADS, _NAMED = (
    frozenset(_TIME[key]) for key in ("words", "links", "starters", "leads", "named")
)


@dataclass(frozen=True, slots=True)
class Frame:
    """A candidate: the characters that it takes of the row, and how much speaks for it."""

    start: int
    end: int
    score: float


def is_time_frame(text: str) -> bool:
    """Whether a text can be a time frame as a whole.

    >>> is_time_frame("From study entry to week 24"), is_time_frame("% of lung function")
    (True, False)
    """
    if len(text) > _LONGEST:
        return False
    tokens = list(_TOKEN.finditer(text))
    return bool(tokens) and ANCHOR.search(text) is not None and all(_is_timed(token) for token in tokens)


def starts_as_time_frame(text: str) -> bool:
    """Whether a text begins as a time frame does: words about time, and among them one that says when."""
    timed = []
    for token in _TOKEN.finditer(text[:_LONGEST]):
        if not _is_timed(token):
            break
        timed.append(token)
    if not timed or not (_core(timed[0]).lower() in _STARTERS or _TIMED.match(_core(timed[0]))):
        return False
    return ANCHOR.search(text[: timed[-1].end()]) is not None


def frames(row: str, support: Sequence[str] = ()) -> list[Frame]:
    """The time frames that a row could hold, the likeliest first; `support` are the other rows of the table."""
    if len(row) > _LONGEST_ROW:
        return []
    tokens = list(_TOKEN.finditer(row))
    made: list[Frame] = []
    at = 0
    while at < len(tokens):
        if not _is_timed(tokens[at]):
            at += 1
            continue
        end = at
        while end < len(tokens) and (_is_timed(tokens[end]) or _bridges(tokens, end)):
            end += 1
        made += _in_run(row, tokens, at, end, support)
        at = end
    made.sort(key=lambda frame: -frame.score)
    weak = not made or made[0].score < 2.5 or row[made[0].start].islower()
    if weak and (shared := _shared(row, tokens, support)):
        made.insert(0, shared)
    return made


def _shared(row: str, tokens: list[re.Match[str]], support: Sequence[str]) -> Frame | None:
    """The longest phrase about time that another row has word by word: tables repeat their time frames."""
    words = [token[0] for token in tokens]
    best: Frame | None = None
    for other in support[:60]:
        theirs = other.split()
        match = SequenceMatcher(None, words, theirs, autojunk=False).find_longest_match()
        start, end = match.a, match.a + match.size
        while start < end and not (words[start][:1].isupper() or words[start][:1].isdigit()):
            start += 1
        if start == 0 or end - start < 4 or (best is not None and best.score >= end - start):
            continue
        if ANCHOR.search(row[tokens[start].start() : tokens[end - 1].end()]):
            best = Frame(tokens[start].start(), tokens[end - 1].end(), end - start)
    return best


def _bridges(tokens: list[re.Match[str]], at: int) -> bool:
    """Whether an unknown word stands between two that are about time: `from registration to 1 year`."""
    inside = 0 < at < len(tokens) - 1 and _core(tokens[at - 1]).lower() in _LINKS and _is_timed(tokens[at + 1])
    return (
        inside and _core(tokens[at]).isalpha() and _core(tokens[at]).islower() and tokens[at + 1][0].lower() in _LINKS
    )


def _in_run(row: str, tokens: list[re.Match[str]], first: int, last: int, support: Sequence[str]) -> list[Frame]:
    """The candidates of one run of words about time: it may be cut in front where a new phrase begins."""
    starts = [at for at in range(first, last) if at == first or _breaks(tokens, at)]
    if first in starts and not _can_start(tokens[first]):  # words before the time frame: `or relapse until 12 months`
        leads = (at for at in range(first, last) if _core(tokens[at]).lower() in _LEADS)
        starts += [at for at in leads if not any(_TIMED.match(_core(tokens[before])) for before in range(first, at))][
            :1
        ]
    found = []
    for at in starts:
        if not _can_start(tokens[at]):
            continue
        for end in _ends(tokens, at, last):
            text = row[tokens[at].start() : tokens[end - 1].end()]
            if ANCHOR.search(text):
                found.append(
                    Frame(tokens[at].start(), tokens[end - 1].end(), _score(row, tokens, at, end, last, text, support))
                )
    return found


def _can_start(token: re.Match[str]) -> bool:
    return _core(token).lower() in _STARTERS or _TIMED.match(_core(token)) is not None


def _ends(tokens: list[re.Match[str]], at: int, last: int) -> list[int]:
    """Where a time frame may end: with the run, before a capital inside it, or where the phrase ends that leads on.

    `Up to 12 months after first` leads on: the phrase goes to the word before the next capital.
    """
    ends = [last]
    if last < len(tokens) and _core(tokens[last - 1]) in _LINKS:
        for end in range(last + 1, min(last + 12, len(tokens)) + 1):
            leads_on = _core(tokens[end - 1]).lower() in _LINKS | _NAMED
            if not leads_on and (end == len(tokens) or _core(tokens[end])[:1].isupper()):
                ends.append(end)
                break
    for end in range(at + 1, last):
        core = _core(tokens[end])
        before = tokens[end - 1][0]
        if core[:1].isupper() and before.lower().strip(",;") not in _LINKS and not before.endswith(","):
            ends.append(end)
    return ends


def _score(
    row: str, tokens: list[re.Match[str]], at: int, end: int, last: int, text: str, support: Sequence[str]
) -> float:
    score = 0.0
    first = _core(tokens[at])
    score += 2 if first[:1].isupper() else 1.5 if first[:1].isdigit() else -1.5
    if at == 0:
        score -= 6  # the name comes first
    if end < len(tokens):
        following = row[tokens[end].start()]
        score += 2.5 if following.isupper() or following in "\"“'(≥" else 0.5 if following.isdigit() else -2
        score += 2 if _begins_alike(row, tokens, end) else 0
        if _core(tokens[end - 1]).lower() in _LINKS:
            score -= 4
    else:
        score += 1.5
    before = _core(tokens[at - 1]).lower() if at else ""
    if before in _LINKS:
        score -= 3
    score += min(sum(f" {text} " in f"{other} " for other in support), 4) * 1.5
    if text.count("(") != text.count(")"):
        score -= 3
    score -= 0.2 * (at / max(len(tokens), 1))
    if re.search(r"\d\s*-?\s*" + _UNIT + r"\b|" + _UNIT + r"\s*\d", text, re.IGNORECASE):
        score += 1
    if first.isdigit() and at + 1 < len(tokens) and _core(tokens[at + 1])[:1].isdigit():
        score -= 2
    if end > last:
        score += 0.5  # the phrase that leads on is closed
    score -= 2 * sum(_inner_capital(tokens, place) for place in range(at + 1, min(end, last)))
    if re.fullmatch(rf"\d+-{_UNIT}", text, re.IGNORECASE) and end < len(tokens):
        score -= 1.5
    return score


def _inner_capital(tokens: list[re.Match[str]], place: int) -> bool:
    """Whether a new phrase could have begun inside of a candidate."""
    before = tokens[place - 1][0]
    named = (
        _core(tokens[place - 1]).lower() in _LINKS | _NAMED
        or before.endswith((",", ";", ":", '"'))
        or tokens[place][0].startswith(("(", '"'))
    )
    return _core(tokens[place])[:1].isupper() and not named


def _begins_alike(row: str, tokens: list[re.Match[str]], end: int) -> bool:
    """Whether the description starts as the name does, with two words or one that is no article."""
    if end >= len(tokens):
        return False
    many = 1 if len(_core(tokens[end])) > 3 else 2
    until = tokens[min(end + many, len(tokens)) - 1].end()
    return row.lower().startswith(row[tokens[end].start() : until].lower())


def _breaks(tokens: list[re.Match[str]], at: int) -> bool:
    """Whether a new phrase begins here: a capital or a number after words that lead on to nothing."""
    core, before = _core(tokens[at]), tokens[at - 1][0]
    if before.lower().strip(",;()") in _LINKS or before.endswith((",", ";", "&")) or before in "+-–":
        return False
    if tokens[at][0].startswith("("):
        return False
    return core[:1].isupper() or (core[:1].isdigit() and before.lower().rstrip("s") not in _NAMED)


def _core(token: re.Match[str]) -> str:
    return token["core"] or token[0]


def _is_timed(token: re.Match[str]) -> bool:
    core = _core(token).rstrip(".")
    return (
        core.lower() in _WORDS
        or _TIMED.match(core) is not None
        or core in ("+", "-", "–", "±", "&", "/", "=", "~", "≥", "≤", "<", ">")
    )
