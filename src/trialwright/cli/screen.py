"""`trialwright screen PROTOCOL FACTS`: whether one participant fits, criterion by criterion, and why."""

from __future__ import annotations

import argparse

from trialwright.cli import output
from trialwright.cli.loading import protocol_at
from trialwright.core.finding import Finding, Grade, Refused, finding


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("protocol", help="folder of the protocol")
    parser.add_argument("facts", help="YAML file with one participant's facts (docs/verbs/screen.md)")
    parser.add_argument("--on", metavar="DATE", default="", help="reference date; default: the date in the file")
    parser.add_argument("--why", action="store_true", help="explain every criterion, not only those that decide")


def run(options: argparse.Namespace) -> int:
    """Print the verdict with its reasons; 0 eligible, 1 ineligible or undetermined."""
    from trialwright.core.interval import plain
    from trialwright.core.partial_date import partial_date
    from trialwright.core.truth import Truth
    from trialwright.language import explain
    from trialwright.protocol.asking import what_to_ask
    from trialwright.protocol.eligibility import determine
    from trialwright.protocol.facts_file import read_facts

    protocol = protocol_at(options.protocol)
    try:
        asked = partial_date(options.on) if options.on else None
    except ValueError:
        raise Refused(_no_date(options.on)) from None
    told = read_facts(protocol, options.facts, asked)
    if wrong := [one for one in told.findings if one.grade is Grade.ERROR]:
        raise Refused(*wrong)
    when = asked or told.date
    if when is None:
        raise Refused(_no_date("nothing"))
    result = determine(protocol, told.facts, when)
    asking = what_to_ask(protocol, result)
    open_questions = [one.criterion.missing for one in result.answers if one.criterion.missing]
    if options.json:
        output.emit(
            {
                "trial": protocol.document.trial,
                "digest": protocol.digest,
                "on": str(when),
                "verdict": result.verdict,
                "findings": [output.finding_json(one) for one in told.findings],
                "open_questions": open_questions,
                "ask_next": [
                    {
                        "item": one.item,
                        "criteria": list(one.criteria),
                        "why": one.why,
                        "cost": None if one.cost is None else f"{one.cost} {one.currency}",
                        "fails": None if one.fails is None else str(one.fails),
                    }
                    for one in asking.questions
                ],
                "ask_next_is_exact": asking.exact,
                "criteria": [
                    {
                        "criterion": one.criterion.name,
                        "kind": one.criterion.kind,
                        "answer": one.answer.value,
                        "decides": one.fails,
                        "record": list(one.criterion.quotes),
                        "explanation": explain.to_json(one.explanation),
                    }
                    for one in result.answers
                ],
            }
        )
        return 0 if result.verdict == "eligible" else 1
    output.findings(told.findings)
    for found in result.answers:
        if options.why or found.fails or found.answer is Truth.UNKNOWN:
            words = " ".join(found.criterion.quotes) or "(words lost from the record)"
            print(f"{found.criterion.kind} {found.criterion.name}: {found.answer.value}   {words}")
            for line in explain.lines(found.explanation, 2):
                print(line)
    for question in open_questions:
        print(f"open question {question}: {protocol.document.assumptions[question].silent}")
    if asking.questions:
        order = "the cheapest expected order" if asking.exact else "a greedy order, by cost over probability of failure"
        print(f"ask next ({order}):")
        for one in asking.questions:
            cost = f", {one.cost} {one.currency}" if one.cost is not None else ""
            fails = f", ends {plain(100 * one.fails)} % of screenings" if one.fails is not None else ""
            print(f"  {one.item} (for {', '.join(one.criteria)}{cost}{fails})")
    print(f"{protocol.document.trial} on {when}: {result.verdict}")
    return 0 if result.verdict == "eligible" else 1


def _no_date(given: str) -> Finding:
    return finding("fact_unreadable", name="The date", value=given, expected="a date", example="2026-03-09")
