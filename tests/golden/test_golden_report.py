"""The numbers of one rehearsal are those that were reviewed last; a change is looked at as a diff."""

from __future__ import annotations

from tests.golden.regenerate import GOLDEN, text


def test_the_report_of_the_ovarian_trial_is_the_reviewed_one() -> None:
    kept = GOLDEN.read_text("utf-8").splitlines()
    assert text().splitlines() == kept, "if that is meant: python -m tests.golden.regenerate, and read the diff"
