"""The figures of a small trial that can be counted on paper, and what every figure of a report must say."""

from __future__ import annotations

import json
import re
from math import isclose
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsals import DOR, IUA, command, rehearsed, report
from tests.unit.desk import SMALL as FOLDER
from tests.unit.desk import Desk, allocated, answered, lot, opened, protocol_at
from trialwright.analysis.plan import analyse
from trialwright.analysis.results import Figure
from trialwright.ledger.store import open_ledger
from trialwright.trial import commands as c

#: Woman, arm, age on 9 March 2026, AMH at screening and at 90 days, pregnant, embryos (good, all); she left.
WOMEN = [
    ("P-1", "cells", "1996-01-01", "0.8", "1.0", "yes", (2, 3)),
    ("P-2", "cells", "1994-01-01", "0.4", "0.9", "no", (1, 4)),
    ("P-3", "cells", "1992-01-01", "1.0", "", "", (0, 0)),
    ("P-4", "control", "1986-01-01", "0.6", "0.6", "no", (1, 2)),
    ("P-5", "control", "1984-01-01", "0.9", "0.7", "yes", (1, 1)),
    ("P-6", "control", "1982-01-01", "1.0", "1.1", "no", (0, 2)),
]


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Figure]:
    """The figures of the six women; P-3 had no transfer, and left."""
    protocol = protocol_at(FOLDER, "enrolment: 3", "enrolment: 6")
    desk = Desk(tmp_path_factory.mktemp("six"), protocol=protocol)
    desk.do(*(_activated(command, protocol.digest) for command in opened()), *lot())
    for who, arm, born, amh, later, pregnant, (good, embryos) in WOMEN:
        for order in allocated(who, arm):
            match order:
                case c.Observe(item="birth_date"):
                    desk.do(c.Observe(who, "birth_date", born, order.on))
                case c.Observe(item="amh"):
                    desk.do(c.Observe(who, "amh", f"{amh} ng/mL", order.on))
                case _:
                    desk.do(order)
        if not pregnant:
            desk.do(c.Withdraw(who, "moved away", "2026-04-01"))
            continue
        desk.do(c.Perform(who, "embryo_transfer", "t-1", "2026-05-08", {"pregnant": pregnant}))
        for number in range(embryos):
            fields = {"good": "yes" if number < good else "no"}
            desk.do(c.AddRecord(who, "embryo", f"e-{number}", "2026-05-08", fields, "t-1"))
        desk.do(c.CloseList(who, "transfer", "2026-09-05"), c.CloseList(who, "embryo", "2026-09-05"))
        desk.do(c.Observe(who, "amh", f"{later} ng/mL", "2026-06-07"))
    made = analyse(desk.cut())
    told = {one.id: one for one in (*made.figures, *made.comparisons)}
    rows = {row.name: row for row in made.baseline}
    assert rows["age"].by_arm["cells"][:2] == (3, 32.0), "30, 32 and 34 years"
    assert rows["age"].by_arm["control"][:2] == (3, 42.0), "40, 42 and 44 years"
    assert rows["amh"].by_arm["cells"][0] == 3
    assert isclose(rows["amh"].by_arm["cells"][1] or 0, 2.2 / 3)
    assert rows["age"].difference is not None
    assert rows["age"].difference < -2, "ten years apart, two years of spread"
    return told


def _activated(command: c.Command, digest: str) -> c.Command:
    if isinstance(command, c.ActivateProtocol):
        return c.ActivateProtocol(command.site, digest, command.approval, command.on)
    return command


@pytest.mark.parametrize(
    ("figure", "numerator", "denominator", "missing", "estimate"),
    [
        ("pregnancy.cells", 1, 2, 1, 1 / 2),
        ("pregnancy.control", 1, 3, 0, 1 / 3),
        ("good_embryos.cells", 3, 7, 0, 3 / 7),
        ("good_embryos.control", 2, 5, 0, 2 / 5),
        ("amh_change.cells", 2, 3, 1, 0.35),
        ("amh_change.control", 3, 3, 0, -0.025),
        ("pregnancy.difference.miettinen_nurminen", 2, 5, 1, 1 / 2 - 1 / 3),
        ("pregnancy.difference.newcombe", 2, 5, 1, 1 / 2 - 1 / 3),
    ],
)
def test_the_figures_are_those_that_were_counted(
    figures: dict[str, Figure], figure: str, numerator: int, denominator: int, missing: int, estimate: float
) -> None:
    seen = figures[figure]
    assert (seen.numerator, seen.denominator, seen.missing) == (numerator, denominator, missing)
    assert seen.estimate is not None
    assert isclose(seen.estimate, estimate, abs_tol=1e-9)


def test_nobody_was_infused_and_no_figure_pretends_otherwise(figures: dict[str, Figure]) -> None:
    assert not [name for name in figures if name.startswith("serious_event")]


def test_nothing_known_yet_gives_no_estimate_and_says_so(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.do(*opened(), *allocated(), *answered("P-2"))
    made = {one.id: one for one in analyse(desk.cut()).figures}
    assert set(made) >= {"pregnancy.cells", "good_embryos.cells", "amh_change.cells"}
    for one in made.values():
        assert (one.estimate, one.lower, one.upper) == (None, None, None)
        assert one.notes


# ---------------------------------------------------------------- every figure of the real reports

REPORTS = [DOR, IUA]


def _all_figures(folder: Path) -> list[dict[str, Any]]:
    data = report(rehearsed(folder))
    return [*data["figures"], *data["comparisons"]]


@pytest.mark.parametrize("folder", REPORTS, ids=["DOR", "IUA"])
def test_every_figure_carries_what_is_needed_to_read_it(folder: Path) -> None:
    ids = [one["id"] for one in _all_figures(folder)]
    assert len(ids) == len(set(ids)) >= 15
    for one in _all_figures(folder):
        for key in ("label", "arm", "set", "unit_of_analysis", "method"):
            assert one[key], (one["id"], key)
        assert len(one["counts"]) == 2
        assert all(one["counts"])
        assert one["denominator"] >= 0 <= one["numerator"]
        assert one["missing"] >= 0
        assert one["estimate"] is not None or one["notes"], f"{one['id']} says why there is no estimate"
        if one["estimate"] is not None and one["lower"] is not None:
            assert one["lower"] <= one["estimate"] <= one["upper"], one["id"]


@pytest.mark.parametrize("folder", REPORTS, ids=["DOR", "IUA"])
def test_a_share_is_its_numerator_over_its_denominator(folder: Path) -> None:
    shares = [one for one in _all_figures(folder) if one["method"].startswith(("Clopper", "ratio of sums"))]
    assert shares
    for one in shares:
        if one["estimate"] is not None:
            assert isclose(one["estimate"], one["numerator"] / one["denominator"], rel_tol=1e-9), one["id"]


@pytest.mark.parametrize("folder", REPORTS, ids=["DOR", "IUA"])
def test_every_figure_can_be_asked_why_down_to_events_and_words_of_the_record(folder: Path) -> None:
    ledger = rehearsed(folder) / "ledger.db"
    record = re.sub(r"\s+", " ", (folder / "record.txt").read_text("utf-8"))
    with open_ledger(ledger) as opened_ledger:
        last = opened_ledger.last()
    from trialwright.report.study import open_study
    from trialwright.report.why import why

    with open_ledger(ledger) as opened_ledger:
        study = open_study(opened_ledger)
        for one in _all_figures(folder):
            lines = why(study, opened_ledger, one["id"])
            events = [event for line in lines for event in line.events]
            words = [text for line in lines for text in line.record]
            assert all(0 < event <= last for event in events), one["id"]
            assert words, one["id"]
            assert [text for text in words if re.sub(r"\s+", " ", text).strip() not in record] == [], one["id"]
            if one["numerator"]:
                assert events, one["id"]


@pytest.mark.parametrize("thing", ["P-001", "P-001/eligibility", "7", "event:7"])
def test_women_decisions_and_events_can_be_asked_too(thing: str) -> None:
    code, out, err = command("why", rehearsed() / "ledger.db", thing, "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["virtual"] is True
    assert told["lines"]


@pytest.mark.parametrize(
    ("thing", "says"),
    [
        ("P-0001", "Did you mean `P-001`?"),
        ("transferable_ratio.cell", "Did you mean `transferable_ratio.cells`?"),
        ("P-001/transferable", "There is no P-001/transferable"),
        ("999999", "The last event is"),
        ("0", "There is no event 0"),
        ("", "There is no"),
        ("²", "There is no"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(thing: str, says: str) -> None:
    code, out, err = command("why", rehearsed() / "ledger.db", thing)
    assert (code, out) == (2, "")
    assert says in err
