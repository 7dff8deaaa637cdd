"""Every estimator reproduces the reference values that somebody else's program computed."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reference import FUNCTIONS, VALUES, main, outcome, outcomes, within

ROWS = list(csv.DictReader(VALUES.read_text("utf-8").splitlines()))
HEAD = "id,function,inputs,expected,tolerance,source"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["id"]))
def test_the_reference_value_is_reproduced(row: dict[str, str]) -> None:
    found = outcome(row)
    assert found.holds, (found, row["source"])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a,median,x=1,1,0,", "there is no function median"),
        ("a,wilson.lower,x=1,1,0,", "the input n is missing"),
        ("a,wilson.lower,x=1;n=2;m=3,0.0945,1,", "nothing is known of the input m"),
        ("a,wilson.lower,x=1;n=two,0,1,", "'two' is not a number"),
        ("a,wilson.lower,x=1.5;n=2,0,1,", "'1.5' is not a whole number"),
        ("a,wilson.lower,x=3;n=2,0,1,", "3 events of 2 are not possible"),
        ("a,wilson.lower,x=1;x=2;n=2,0,1,", "the input x is given twice"),
        ("a,wilson.lower,1 of 2,0,1,", "'1 of 2' is not of the form name=value"),
        ("a,wilson.lower,x=1;n=2,much,1,", "'much' is not a number"),
        ('a,adjust_p_holm,"p=.01,.02;element=3",0,1,', "there is no element 3 among 2"),
    ],
)
def test_a_row_that_cannot_be_computed_is_a_miss_that_says_so(line: str, says: str) -> None:
    (found,) = outcomes([HEAD, line])
    assert not found.holds
    assert says in found.says


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [  # by the formula of VanderWeele and Ding 2017, RR + sqrt(RR (RR - 1)), of the roots
        ("OR=2.5;lo=1.2;hi=5.2", 1.41879),
        ("OR=2.5;lo=1.7;hi=3.7", 1.93325),
        ("OR=4", 3.41421),
        ("OR=0.5;lo=0.3;hi=1.1", 1.0),
    ],
)
def test_the_limits_of_an_odds_ratio_are_rooted_as_it_is(inputs: str, expected: float) -> None:
    (found,) = outcomes([HEAD, f"a,e_value,{inputs},{expected},0.0001,"])
    assert found.holds, found


@pytest.mark.parametrize(
    ("got", "expected", "tolerance", "holds"),
    [
        (1.0, 1.0, 0.0, True),
        (1.0, 1.1, 0.05, False),
        (float("inf"), float("inf"), 0.0, True),
        (float("-inf"), float("inf"), float("inf"), False),
        (1.0, float("inf"), float("inf"), False),
        (float("inf"), 1.0, float("inf"), False),
        (float("nan"), 1.0, float("inf"), False),
    ],
)
def test_a_value_holds_within_its_tolerance(got: float, expected: float, tolerance: float, holds: bool) -> None:
    assert within(got, expected, tolerance) is holds


@pytest.mark.parametrize(
    ("lines", "code", "prints"),
    [
        ([HEAD, "a,wilson.upper,x=0;n=12;conf=0.95,0.2424940067,1e-06,"], 0, "1 of 1 rows hold"),
        ([HEAD, "a,wilson.upper,x=0;n=12;conf=0.95,0.3,1e-06,"], 1, "0 of 1 rows hold"),
        ([HEAD], 1, "0 of 0 rows hold"),
        (["id,expected"], 2, "the file has no column function, inputs, tolerance"),
    ],
)
def test_the_runner_exits_with_what_it_found(
    lines: list[str], code: int, prints: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "values.csv"
    place.write_text("\n".join(lines), "utf-8")
    assert main([str(place)]) == code
    printed = capsys.readouterr()
    assert prints in printed.out + printed.err


def test_a_miss_is_the_exit_of_the_process(tmp_path: Path) -> None:
    place = tmp_path / "values.csv"
    place.write_text(f"{HEAD}\na,wilson.upper,x=0;n=12,0.3,1e-06,\n", "utf-8")
    ran = subprocess.run([sys.executable, "-m", "tests.reference", place], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (1, "")


def test_every_function_of_the_table_is_known() -> None:
    assert {row["function"] for row in ROWS} <= set(FUNCTIONS)


def test_estimators_are_imported_without_the_libraries_that_few_of_them_need() -> None:
    code = (
        "import importlib, pkgutil, sys, trialwright.statistics as package\n"
        "for one in pkgutil.iter_modules(package.__path__, 'trialwright.statistics.'):\n"
        "    importlib.import_module(one.name)\n"
        "print(sorted({'pandas', 'statsmodels', 'sklearn', 'firthmodels', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
