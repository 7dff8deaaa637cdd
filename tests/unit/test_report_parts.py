"""Parts of the report: plan, analysis sets, core outcomes, data files, checklist and PDF."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdf
import pytest

from tests.rehearsals import DOR, IUA, command, rehearsed, report
from tests.unit.desk import SMALL, Desk, allocated, opened, protocol_at
from tests.unit.protocols import changed
from trialwright.analysis.comparers import COMPARE
from trialwright.analysis.estimates import ONE_ARM
from trialwright.analysis.plan import plan_of
from trialwright.protocol.check import lint
from trialwright.protocol.estimators import ESTIMATORS
from trialwright.report.checklist import TREND
from trialwright.report.data_files import cell
from trialwright.trial import commands as c
from trialwright.views.analysis_sets import analysis_sets, members

BOTH = pytest.mark.parametrize("folder", [DOR, IUA], ids=["DOR", "IUA"])


# ---------------------------------------------------------------- the plan


def test_every_estimator_that_may_be_named_is_there() -> None:
    described = {name for kind in ONE_ARM.values() for name in kind}
    assert {name for name, one in ESTIMATORS.items() if one.compares} == set(COMPARE)
    assert {name for name, one in ESTIMATORS.items() if not one.compares} == described


@BOTH
def test_every_endpoint_has_a_line_in_the_plan(folder: Path) -> None:
    data = report(rehearsed(folder))
    assert {row["endpoint"] for row in data["plan"]} == {one["endpoint"] for one in data["figures"]}
    assert all(row["level"] != "no objective" for row in data["plan"])


def test_the_primary_endpoint_stands_first_with_its_estimand() -> None:
    protocol, _, _ = changed("version: 1", "version: 1")
    assert protocol is not None
    first = plan_of(protocol)[0]
    assert (first.endpoint, first.level, first.estimand) == ("clinical_pregnancy", "primary", "primary")
    assert len(first.sensitivity) >= 10


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("implantation: ratio_logit_t", "implantation: clopper_pearson", "estimator_kind"),
        ("implantation: ratio_logit_t", "implantation: pooled_clopper_pearson", "pooled_denominator"),
        ("  compare: [cells, control]\n", "", "estimator_arms"),
        ("  compare: [cells, control]\n", "  compare: [cells, cells]\n", "document_field"),
        ("count: count(transfer)}", "count: latest(weight)}", "document_field"),
        ("zone: Asia/Shanghai", "zone: ../../etc/passwd", "document_field"),
        ("  covariates: [age, bmi, amh, afc]\n", "", "estimator_covariates"),
        ("multiplicity: holm", "multiplicity: holmes", "document_field"),
        (
            "reached: allocation, given: [hrt, infusion]",
            "reached: allocated, given: [hrt, infusion]",
            "reference_unknown",
        ),
        ("given: [hrt, infusion]", "given: [hrt, infusoin]", "reference_unknown"),
        ("count: count(transfer)}", "count: count(transfr)}", "name_unknown"),
    ],
)
def test_an_analysis_that_cannot_be_done_is_found(old: str, new: str, code: str) -> None:
    protocol, found, _ = changed(old, new)
    codes = {one.code for one in (found if protocol is None else lint(protocol))}
    assert code in codes


def test_a_pooled_denominator_is_allowed_where_the_protocol_says_why() -> None:
    protocol, _, _ = changed(
        "  multiplicity: holm\n",
        "  multiplicity: holm\n  pooled: {implantation: To compare with published pooled rates.}\n",
    )
    assert protocol is not None
    assert protocol.document.analysis.pooled == {"implantation": "To compare with published pooled rates."}
    assert not [one for one in lint(protocol) if one.code == "pooled_denominator"]


# ---------------------------------------------------------------- analysis sets


def _desk(folder: Path, per_protocol: str) -> Desk:
    sets = "sets: {allocated: allocation, infused: infusion"
    protocol = protocol_at(SMALL, sets, f"{sets}, per_protocol: {{reached: allocation, {per_protocol}}}")
    made = Desk(folder, protocol=protocol)
    for order in opened():
        made.do(replace(order, digest=protocol.digest) if isinstance(order, c.ActivateProtocol) else order)
    return made


def test_whoever_was_not_given_what_the_set_asks_for_is_outside_with_the_reason(tmp_path: Path) -> None:
    desk = _desk(tmp_path, "given: [course]")
    desk.do(*allocated("P-1"), *allocated("P-2"), c.Perform("P-1", "course", "c-1", "2026-03-12"))
    cut = desk.cut("2026-03-13")
    assert [one.identity for one in members(cut, "allocated")] == ["P-1", "P-2"]
    assert [one.identity for one in members(cut, "per_protocol")] == ["P-1"]
    outside = {(row.set, row.participant): row.reasons for row in analysis_sets(cut) if not row.inside}
    assert outside["per_protocol", "P-2"] == ("was not given: Course of hormones",)
    assert outside["infused", "P-1"] == ("has not reached infusion",)


def test_what_her_arm_does_not_give_is_not_asked_of_her(tmp_path: Path) -> None:
    desk = _desk(tmp_path, "given: [infusion]")
    desk.do(*allocated("P-1"), *allocated("P-2", "control"))
    assert [one.identity for one in members(desk.cut("2026-03-13"), "per_protocol")] == ["P-2"]


def test_a_major_deviation_keeps_somebody_out(tmp_path: Path) -> None:
    desk = _desk(tmp_path, "without: major deviations")
    desk.do(*allocated("P-1"))
    cut = desk.cut("2026-09-01")
    assert members(cut, "per_protocol") == [], "visits are overdue"
    (row,) = [row for row in analysis_sets(cut) if row.set == "per_protocol"]
    assert row.reasons == ("major deviation: visit",)


# ---------------------------------------------------------------- what the reports hold


@BOTH
def test_the_core_outcomes_count_women_over_all_allocated(folder: Path) -> None:
    data = report(rehearsed(folder))
    allocated_women = {arm["arm"]: arm["allocated"] for arm in data["flow"]["arms"]}
    rows = [row for row in data["core_outcomes"] if row["counts"] == "women allocated"]
    assert {row["outcome"] for row in rows} >= {"viable intrauterine pregnancy", "live birth", "miscarriage"}
    for row in rows:
        assert row["of"] == allocated_women[row["arm"]]
        assert row["yes"] + row["unknown"] <= row["of"]
        assert len(row["participants"]) == row["yes"]


@BOTH
def test_no_step_of_a_funnel_of_embryos_has_more_than_the_one_before(folder: Path) -> None:
    rows = {(row["step"], row["arm"]): row["count"] for row in report(rehearsed(folder))["funnel"]}
    arms = {arm for _, arm in rows}
    for arm in arms:
        chain = (
            ["oocytes", "inseminated", "fertilised", "transferable"] if folder == DOR else ["transferred", "positive"]
        )
        counts = [rows[step, arm] for step in chain]
        assert counts == sorted(counts, reverse=True)


@BOTH
def test_the_data_behind_the_report_lie_beside_it(folder: Path) -> None:
    out = rehearsed(folder)
    data = report(out)
    figures = list(csv.DictReader(io.StringIO((out / "data" / "figures.csv").read_text("utf-8"))))
    assert [row["id"] for row in figures] == [one["id"] for one in data["figures"]]
    for row, one in zip(figures, data["figures"], strict=True):
        assert row["estimate"] == ("" if one["estimate"] is None else f"{one['estimate']:.10g}")
    women = list(csv.DictReader(io.StringIO((out / "data" / "endpoints.csv").read_text("utf-8"))))
    name = data["flow"]["endpoint"]
    yes = sum(1 for row in women if row["endpoint"] == name and row["answer"] == "yes")
    assert yes == sum(one["numerator"] for one in data["figures"] if one["id"] in {f"{name}.cells", f"{name}.control"})


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ('=HYPERLINK("x")', '\'=HYPERLINK("x")'),
        ("@SUM(1)", "'@SUM(1)"),
        ("-1+2", "'-1+2"),
        (-1.5, "-1.5"),
        (None, ""),
        (True, "yes"),
        (("a", "b"), "a; b"),
        ({"cells": 1}, "cells: 1"),
    ],
)
def test_no_cell_of_a_file_is_a_formula(value: object, shown: object) -> None:
    assert str(cell(value)) == shown


def test_every_place_of_the_checklist_is_a_section_of_the_report() -> None:
    page = (rehearsed(IUA) / "report.html").read_text("utf-8")
    ids = set(re.findall(r'<section id="([^"]+)"', page))
    assert {one.section for one in TREND if one.section} <= ids
    assert [int(one.number) for one in TREND] == list(range(1, 23))
    assert all(one.section or one.standing == "written" for one in TREND)


def test_every_page_of_the_pdf_says_that_the_data_are_virtual(tmp_path: Path) -> None:
    code, out, _ = command("report", rehearsed(DOR) / "ledger.db", "--out", tmp_path)
    assert (code, "report.pdf" in out) == (0, True)
    pages = pypdf.PdfReader(tmp_path / "report.pdf").pages
    assert len(pages) > 10
    for page in pages:
        assert "Virtual data: rehearsal of NCT04706312" in page.extract_text()


def test_without_the_package_a_pdf_is_refused_and_without_a_pdf_the_report_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "plutoprint", None)
    code, _, err = command("report", rehearsed(DOR) / "ledger.db", "--out", tmp_path)
    assert (code, "trialwright[pdf]" in err) == (2, True)
    code, _, _ = command("report", rehearsed(DOR) / "ledger.db", "--out", tmp_path, "--no-pdf")
    assert code == 0
    assert not (tmp_path / "report.pdf").exists()


# ---------------------------------------------------------------- as true on a day, as known then


def _at(folder: Path, out: Path, *options: str) -> dict[str, Any]:
    code, _, err = command("report", folder / "ledger.db", "--no-pdf", "--out", out, *options)
    assert code == 0, err
    return report(out)


def test_what_happened_after_the_day_is_not_in_a_report_of_the_day(tmp_path: Path) -> None:
    whole = report(rehearsed(IUA))
    then = _at(rehearsed(IUA), tmp_path / "then", "--on", "2026-09-01")
    assert then["flow"]["screened"] == sum(1 for row in whole["screening"] if row["screened"] <= "2026-09-01")
    assert 0 < then["flow"]["enrolled"] < whole["flow"]["enrolled"]
    for name in ("adverse_events", "deviations"):
        assert all(row["on"][:10] <= "2026-09-01" for row in then[name]), name


def test_what_was_known_on_a_day_is_shown_as_of_that_day(tmp_path: Path) -> None:
    then = _at(rehearsed(IUA), tmp_path / "then", "--known", "2026-09-01")
    assert (then["cut_off"], then["as_known_at"]) == ("2026-09-01", "2026-09-01")
    assert "what was recorded later is left out" in (tmp_path / "then" / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--known", "999999"), "There is no event 999999"),
        (("--known", "1"), "the ledger knew no protocol"),
        (("--on", "2020-01-01"), "the ledger knew no protocol"),
        (("--on", "9999-12-31"), "takes a day"),
        (("--since", "2199-01-01"), "--since takes a day up to that of the report, 20"),
    ],
)
def test_a_day_of_which_nothing_can_be_said_is_refused_and_leaves_nothing(
    tmp_path: Path, options: tuple[str, str], says: str
) -> None:
    code, _, err = command("report", rehearsed(DOR) / "ledger.db", "--out", tmp_path / "new", *options)
    assert (code, says in err) == (2, True), err
    assert not (tmp_path / "new").exists()


def test_a_report_leaves_nothing_of_another_one_beside_it(tmp_path: Path) -> None:
    assert command("report", rehearsed(IUA) / "ledger.db", "--out", tmp_path)[0] == 0
    assert command("report", rehearsed(DOR) / "ledger.db", "--out", tmp_path, "--no-pdf")[0] == 0
    assert not (tmp_path / "report.pdf").exists()
    assert not (tmp_path / "data" / "weights.csv").exists()
    assert not (tmp_path / "figures" / "love.svg").exists()


def test_a_rehearsal_replaces_no_folder_in_which_somebody_left_something(tmp_path: Path) -> None:
    out = tmp_path / "r"
    shutil.copytree(rehearsed(DOR), out)
    (out / "note.txt").write_text("mine", "utf-8")
    code, _, err = command("rehearse", DOR, "--out", out)
    assert (code, "holds something else" in err) == (2, True)
    assert (out / "note.txt").read_text("utf-8") == "mine"


def test_a_report_is_the_same_to_the_letter_with_a_second_process_and_without(tmp_path: Path) -> None:
    ledger, here, aside = rehearsed(IUA) / "ledger.db", tmp_path / "here", tmp_path / "aside"
    assert command("report", ledger, "--out", here, "--no-pdf")[0] == 0
    words = (sys.executable, "-m", "trialwright", "report", str(ledger), "--out", str(aside), "--no-pdf")
    subprocess.run(words, check=True, capture_output=True)
    made = [{one.relative_to(out): one.read_bytes() for one in out.rglob("*.*")} for out in (here, aside)]
    assert len(made[0]) > 20
    assert made[0] == made[1]
