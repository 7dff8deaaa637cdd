"""A desk of the small invented trial with a laboratory: a cycle, its oocytes, and the checks that are read of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.unit.desk import SMALL, Desk, answered, protocol_at
from trialwright.protocol.protocol import Protocol
from trialwright.trial import commands as c
from trialwright.trial.commands import Command

WITH_A_LABORATORY = """records:
  cycle: {label: {en: Cycle, zh: 周期}, fields: {cancelled: {is: yes_no, label: Cancelled}}}
  oocyte:
    of: cycle
    label: Oocyte
    fields:
      maturity: {is: [gv, mi, mii, degenerate], label: Maturity}
      insemination: {is: [ivf, icsi, none], label: {en: Insemination, zh: 受精方式}}
      inseminated: {is: date, label: Inseminated at}
      pronuclei: {is: count, possible: 0..6, plausible: 0..3, label: Pronuclei}
      cells: {is: count, possible: 0..32, label: Cells}
      fate: {is: [transferred, frozen, discarded], label: Fate}
    clock: inseminated
    checks:
      start: {label: Insemination, fields: [maturity, insemination, inseminated]}
      fertilisation: {label: 2PN, at: 17 h, window: [-1, 1], fields: pronuclei, if: "insemination in {ivf, icsi}"}
      day_3: {label: D3, at: 68 h, window: [-1, 1], fields: [cells, fate], if: "insemination != none and pronuclei = 2"}
"""


def laboratory_protocol() -> Protocol:
    """The protocol of the small trial with its laboratory."""
    return protocol_at(SMALL, "records:\n", WITH_A_LABORATORY)


def laboratory_desk(folder: Path) -> Desk:
    """An open ledger: P-1 in screening at S01 with two cycles, P-2 with none, Q-1 at the other site."""
    made = Desk(folder, protocol=laboratory_protocol())
    made.do(*_begun(made.protocol.digest), at="2026-03-20T02:00:00Z")
    return made


def _begun(digest: str) -> Iterator[Command]:
    for site in ("S01", "S02"):
        yield c.ActivateProtocol(site, digest, "ethics 2026-1", "2026-01-02")
    yield from answered("P-1")
    yield from answered("P-2")
    yield c.Screen("Q-1", "S02", "2026-03-02")
    yield c.Consent("Q-1", "1", "2026-03-02")
    yield c.AddRecord("P-1", "cycle", "cycle-a", "2026-03-03")
    yield c.AddRecord("P-1", "cycle", "cycle-b", "2026-03-18")
