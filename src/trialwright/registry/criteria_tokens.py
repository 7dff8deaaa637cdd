"""The words of a criterion as tokens of the lexicon, each with its place; what carries nothing is passed over."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from trialwright.registry.criteria_words import lexicon, plain, unit_in


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its kind, what it stands for, and where it stands in the criterion."""

    kind: str
    value: str
    start: int
    end: int


_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORD = re.compile(r"[^\W\d_][\w'’/.+-]*\w|\w")
_SIGNS = {",": "COMMA", ";": "SEMI", "(": "LPAR", ")": "RPAR", "[": "LPAR", "]": "RPAR", ":": "COLON", "/": "SLASH"}
_DAY = re.compile(r"[Dd](\d)(?![\w])")
#: One sign for one, so that places stay what they are.
_PLAIN = str.maketrans("×⁰¹²³⁴⁵⁶⁷⁸⁹–—−‐‑µμ\\\u00a0\u2009’‘“”，；：（）", "x0123456789-----uu   ''\"\",;:()")
_CONNECTIVES = ("COMMA", "SEMI", "STOP", "AND", "OR")


def tokens(text: str, one_sex: bool = False) -> list[Token]:
    """The tokens of a criterion. `one_sex`: the record is about one sex, so that its name says nothing more.

    >>> [(one.kind, one.value) for one in tokens("Serum AMH < 1.10 ng/ml")]
    [('ITEM', 'amh'), ('CMP', '<'), ('NUM', '1.10'), ('UNIT', 'ng/mL')]
    """
    flat = text.translate(_PLAIN)
    return _tidied(_scanned(flat, one_sex))


def person(text: str) -> bool:
    """Whether somebody is named who has an age."""
    return (
        re.search(
            r"\b(wom[ae]n|m[ae]n|females?|males?|patients?|subjects?|participants?|adults?|children|persons?)\b",
            text,
            re.I,
        )
        is not None
    )


def _scanned(text: str, one_sex: bool) -> list[Token]:
    known, found, position = lexicon(), list[Token](), 0
    while position < len(text):
        letter = text[position]
        if letter.isspace():
            position += 1
            continue
        after_number = bool(found) and found[-1].kind == "NUM"
        number = _NUMBER.match(text, position)
        unit = known.units.match(text, position) if after_number else None
        phrase = known.phrases.match(text, position)
        day = _DAY.match(text, position)
        if unit is not None and (
            phrase is None or phrase.end() <= unit.end() or known.meaning[plain(phrase[0])][0] != "CAL"
        ):
            found.append(Token("UNIT", unit_in(unit[0]), position, unit.end()))
            position = unit.end()
        elif phrase is not None and phrase.end() > position:
            kind, value = known.meaning[plain(phrase[0])]
            kind = ("FILL" if one_sex else "WORD") if kind == "ONE_SEX" else kind
            found.append(Token(kind, value, position, phrase.end()))
            position = phrase.end()
        elif day is not None:
            found.append(Token("DAYS", day[1], position, day.end()))
            position = day.end()
        elif number is not None:
            found.append(Token("NUM", number[0].replace(",", ""), position, number.end()))
            position = number.end()
        elif letter in _SIGNS:
            found.append(Token(_SIGNS[letter], letter, position, position + 1))
            position += 1
        elif letter == "-" and after_number:
            found.append(Token("DASH", "-", position, position + 1))
            position += 1
        elif letter in ".\"'*-•":
            if letter == "." and text[position + 1 : position + 2].isspace():
                found.append(Token("STOP", ".", position, position + 1))
            position += 1
        else:
            word = _WORD.match(text, position)
            end = word.end() if word is not None else position + 1
            found.append(Token("WORD", text[position:end], position, end))
            position = end
    return found


def _tidied(found: list[Token]) -> list[Token]:
    """Without fillers, doubled names, examples and stray signs; with what belongs together as one."""
    found = [one for one in found if one.kind != "FILL"]
    found = _parentheses(found)
    tidy: list[Token] = []
    skip = False
    for index, one in enumerate(found):
        if skip:
            skip = False
            continue
        before = tidy[-1] if tidy else None
        after = found[index + 1] if index + 1 < len(found) else None
        match one.kind:
            case "BETWEEN" if after is None or after.kind != "NUM":
                continue
            case "TO" if (
                before is not None
                and before.kind in ("NUM", "UNIT", "CAL")
                and after is not None
                and after.kind == "CMP"
            ):
                one = replace(one, kind="BOTH")
            case "TO" | "DASH" if (
                before is None or after is None or before.kind not in ("NUM", "UNIT", "CAL") or after.kind != "NUM"
            ):
                continue
            case "TO" | "DASH" if before is not None and before.kind in ("UNIT", "CAL"):
                tidy.pop()  # 18 years to 40 years: one unit, at the end
            case "AND" if after is not None and after.kind == "CMP":
                one = replace(one, kind="BOTH")
            case "OR" if (
                after is not None and after.kind == "CMP" and before is not None and before.kind in ("NUM", "UNIT")
            ):
                one = replace(one, kind="EITHER")
            case "OR" if before is not None and after is not None and before.kind == after.kind == "CATEGORY":
                one = replace(one, kind="ALSO")
            case "SLASH":
                if before is not None and before.kind == "DAYS":
                    one = replace(one, kind="OR")
                elif _out_of(tidy, after):
                    skip = True
                    continue
                else:
                    one = replace(one, kind="WORD")
            case "ITEM" | "COND" if before is not None and before.kind == one.kind and before.value == one.value:
                continue
            case "COND" if (
                before is not None and before.kind == "COND" and lexicon().conditions[one.value].get("joins")
            ):
                tidy.append(Token("AND", "and", one.start, one.start))
        tidy.append(one)
    tidy = _between(tidy)
    while tidy and tidy[-1].kind in (*_CONNECTIVES, "COLON"):
        tidy.pop()
    while tidy and tidy[0].kind in _CONNECTIVES:
        tidy.pop(0)
    return _graded(tidy)


def _out_of(tidy: list[Token], after: Token | None) -> bool:
    """Whether 26/30 is a score and what it is out of."""
    item = next((one.value for one in reversed(tidy) if one.kind == "ITEM"), "")
    return (
        bool(item)
        and lexicon().items[item]["is"] == "count"
        and tidy[-1].kind == "NUM"
        and after is not None
        and after.kind == "NUM"
    )


def _between(found: list[Token]) -> list[Token]:
    """Without `between` where a dash or `to` says it already."""
    return [
        one
        for index, one in enumerate(found)
        if not (one.kind == "BETWEEN" and any(later.kind in ("TO", "DASH") for later in found[index + 2 : index + 3]))
    ]


def _parentheses(found: list[Token]) -> list[Token]:
    """What stands in brackets: the same name again and examples go, a range is taken out, the rest stays."""
    out: list[Token] = []
    index = 0
    while index < len(found):
        one = found[index]
        if one.kind != "LPAR":
            out.append(one)
            index += 1
            continue
        close = next((i for i in range(index + 1, len(found)) if found[i].kind in ("LPAR", "RPAR")), None)
        if close is None or found[close].kind == "LPAR":
            out.append(one)
            index += 1
            continue
        inside, before = found[index + 1 : close], out[-1] if out else None
        kinds = {token.kind for token in inside}
        named = before is not None and before.kind in ("ITEM", "COND", "CATEGORY", "RECORD", "COUNTED")
        same = (
            named
            and before is not None
            and all((token.kind, token.value) == (before.kind, before.value) for token in inside)
        )
        short = named and len(inside) == 1 and kinds == {"WORD"} and inside[0].value.isupper()
        again = before is not None and before.kind == "NUM" and [token.value for token in inside] == [before.value]
        converted = before is not None and before.kind == "UNIT" and [token.kind for token in inside] == ["NUM", "UNIT"]
        if not inside or same or short or again or converted or inside[0].kind == "EXAMPLE":
            pass
        elif (
            before is not None
            and before.kind in ("ITEM", "FIELD", "COND")
            and kinds <= {"NUM", "DASH", "TO", "UNIT", "CAL", "CMP", "BETWEEN", "AND"}
        ):
            out.extend(inside)
        else:
            out.extend([one, *_listed(inside), found[close]])
        index = close + 1
    return out


def _listed(inside: list[Token]) -> list[Token]:
    """A list in brackets without its commas: each stands for the conjunction that comes next."""
    out = []
    for index, one in enumerate(inside):
        following = next((later for later in inside[index:] if later.kind in ("AND", "OR")), None)
        if one.kind != "COMMA":
            out.append(one)
        elif following is None:
            return inside
        elif inside[index + 1 : index + 2] != [following]:
            out.append(replace(following, start=one.start, end=one.end))
    return out


def _graded(found: list[Token]) -> list[Token]:
    """How bad a condition is belongs to its name: severe + hypertension. In front of a list it holds for all of it."""
    out: list[Token] = []
    grade = ""
    for index, one in enumerate(found):
        if one.kind == "GRADE":
            if index + 1 < len(found) and found[index + 1].kind in ("COND", "GRADE"):
                grade = f"{grade} {one.value}".strip()
            else:
                out.append(replace(one, kind="WORD"))
        elif one.kind == "COND" and lexicon().conditions[one.value].get("joins"):
            grade = ""
            out.append(one)
        elif one.kind == "COND" and grade:
            out.append(replace(one, value=f"{grade.replace(' ', '_')}+{one.value}"))
        else:
            if one.kind not in (*_CONNECTIVES, "SLASH"):
                grade = ""
            out.append(one)
    return out
