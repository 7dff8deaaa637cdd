"""Drafts that a language model proposes: a command of the user's own, off by default, checked like any other draft.

The command gets JSON on its standard input and answers JSON. It is asked only for criteria that the rules did not
understand, never replaces what was computed, and whatever it proposes is marked, and blocks until a person confirms it.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from trialwright.core.finding import Finding, Grade, Refused, finding
from trialwright.protocol.field_faults import fault_in_words
from trialwright.registry.criteria import Draft, fault_of, vocabulary_of
from trialwright.registry.json_text import NotJson, parse_json

#: Seconds for the whole answer, and the most that is read of it.
TIMEOUT = 300
MAX_ANSWER = 4_000_000
_MARK = "Proposed by a language model and confirmed by nobody yet."


def proposed(
    drafts: Sequence[Draft], command: str, timeout: float = TIMEOUT
) -> tuple[tuple[Draft, ...], list[Finding]]:
    """The drafts, with proposals of the command where the rules understood nothing.

    It is given `{"criteria": [{"name", "kind", "text", "read"}]}` and answers
    `{"drafts": [{"name", "rule", "items", "records", "why"}]}`, items and records as a protocol declares them.
    `Refused` where the command cannot be run or does not answer JSON; a proposal that does not parse or check is a
    finding, and its criterion stays as written.
    """
    open_ones = [one for one in drafts if one.by == "as written"]
    if not open_ones:
        return tuple(drafts), []
    asked = {
        "criteria": [{"name": one.name, "kind": one.kind, "text": one.text, "read": one.proposal} for one in open_ones]
    }
    told = _answers(_run(command, json.dumps(asked, ensure_ascii=False), timeout), command)
    findings: list[Finding] = []
    out = []
    for one in drafts:
        answer = told.get(one.name)
        if one.by != "as written" or answer is None:
            out.append(one)
            continue
        made, fault = _draft(one, answer)
        if made is None:
            findings.append(finding("proposal_wrong", grade=Grade.WARNING, name=one.name, why=fault))
        out.append(made or one)
    return tuple(out), findings


def _run(command: str, asked: str, timeout: float) -> str:
    try:
        words = shlex.split(command)
        done = subprocess.run(words, input=asked.encode(), capture_output=True, timeout=timeout, check=False)
    except OSError as wrong:
        why = f"it cannot be started ({wrong.strerror or 'the system refuses'})"
        raise Refused(finding("model_fails", command=command, why=why)) from wrong
    except (ValueError, IndexError) as wrong:
        raise Refused(finding("model_fails", command=command, why="it is no command line")) from wrong
    except subprocess.TimeoutExpired as wrong:
        raise Refused(
            finding("model_fails", command=command, why=f"it did not answer within {timeout:g} seconds")
        ) from wrong
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no message"]
        raise Refused(finding("model_fails", command=command, why=f"it ended with {done.returncode}: {last[0][:200]}"))
    return done.stdout[:MAX_ANSWER].decode("utf-8", "replace")


def _answers(text: str, command: str) -> dict[str, Mapping[str, Any]]:
    try:
        told = parse_json(text)
    except NotJson as wrong:
        raise Refused(finding("model_fails", command=command, why=f"its answer is not JSON: {wrong}")) from wrong
    drafts = told.get("drafts") if isinstance(told, dict) else None
    if not isinstance(drafts, list):
        raise Refused(finding("model_fails", command=command, why="its answer has no list `drafts`"))
    return {str(one["name"]): one for one in drafts if isinstance(one, dict) and "name" in one}


def _draft(one: Draft, answer: Mapping[str, Any]) -> tuple[Draft | None, str]:
    rule, items, records = answer.get("rule"), answer.get("items", {}), answer.get("records", {})
    if not isinstance(rule, str) or not isinstance(items, dict) or not isinstance(records, dict):
        return None, "it needs a `rule`, and tables `items` and `records`"
    parts = {str(name): part for name, part in items.items() if isinstance(part, dict)}
    kinds = {str(name): {"fields": {}, **part} for name, part in records.items() if isinstance(part, dict)}
    questions = (_MARK, *(() if not answer.get("why") else (str(answer["why"])[:400],)))
    made = replace(one, rule=rule, by="model", confidence="low", items=parts, records=kinds, questions=questions)
    try:
        fault = fault_of(rule, vocabulary_of(made))
    except ValidationError as wrong:
        (error, *_) = wrong.errors(include_url=False)
        return None, f"{'.'.join(map(str, error['loc'])) or 'an item'}: {fault_in_words(error)}"
    except (AttributeError, TypeError):
        return None, "a name is expected in `items` or `records`, and something else stands there"
    return (None, fault) if fault else (made, "")
