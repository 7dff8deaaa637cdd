"""Whole processes: what somebody waits for who types a command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.row import Row, Target, below, child, each, output_of, why
from bench.workplace import PROTOCOL, Workplace


def rows(at: Workplace) -> list[Row]:
    """`--help`, `check` and a cold `rehearse`, and what ledger and fold take of the last."""
    return [
        _process(at, "trialwright --help", ["--help"], below(0.2)),
        _process(at, f"trialwright check {PROTOCOL.name}", ["check", str(PROTOCOL)], below(1)),
        _process(at, f"trialwright rehearse {PROTOCOL.name}", ["rehearse", str(PROTOCOL)], below(5)),
        *_shares(at),
    ]


def _process(at: Workplace, name: str, words: Sequence[str], target: Target) -> Row:
    script = Path(sys.executable).with_name("trialwright")
    start = [str(script)] if script.exists() else [sys.executable, "-m", "trialwright"]

    def run() -> None:
        out = ["--out", str(at.fresh("rehearsal"))] if "rehearse" in words else []
        output_of([*start, *words, *out])

    try:
        return Row(name, "s", each(at.runs, run), target)
    except subprocess.CalledProcessError as failed:
        return Row(name, "s", (), target, why(failed))


def _shares(at: Workplace) -> list[Row]:
    names = (
        "  of it the ledger: append, flush, outcome",
        "  of it the fold: participants and trial",
        "  of it ledger and fold together",
    )
    try:
        shares = [child("shares", PROTOCOL, at.fresh("rehearsal")) for _ in range(at.runs)]
    except subprocess.CalledProcessError as failed:
        return [Row(name, "s", (), note=why(failed)) for name in names]
    ledger, fold = zip(*shares, strict=True)
    both = tuple(sum(share) for share in shares)
    return [
        Row(names[0], "s", ledger),
        Row(names[1], "s", fold),
        Row(names[2], "s", both, below(1)),
    ]
