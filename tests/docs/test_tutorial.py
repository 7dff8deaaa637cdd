"""The tutorial executes: every command in it is run in a folder of its own, and prints what the page shows."""

from __future__ import annotations

from pathlib import Path

from scripts.docs import ROOT

from tests.docs.examples import agrees, run


def test_the_tutorial_executes(tmp_path: Path) -> None:
    verbs = set()
    for _, steps in run(ROOT / "docs" / "tutorial.md", tmp_path):
        for step in steps:
            assert agrees(step.expected, step.printed), f"{step.command}\n{step.printed}"
            verbs.add(step.command.split()[1])
    assert verbs >= {"check", "coverage", "screen", "rehearse", "why", "verify"}
