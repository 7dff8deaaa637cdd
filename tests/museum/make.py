"""How the ledger of a release is made, once: `python -m tests.museum.make VERSION`; it refuses to write over one.

A real ledger of the small invented trial: five women, a lot and a unit, corrections, an entry taken back, a query, an
encrypted note. Afterwards its facts are written into `test_museum.py` by hand.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.unit.desk import Desk, allocated, answered, confirmed, infused, lot, opened
from trialwright.ledger.keys import SeededKeyStore, encrypt
from trialwright.trial import commands as c

HERE = Path(__file__).parent


def make(version: str) -> Path:
    """The new exhibit."""
    place = HERE / f"{version}.db"
    if place.exists():
        raise SystemExit(f"{place} is in the museum already")
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder), software=version)
        _lived(desk)
        desk.ledger.close()
        shutil.copy(desk.place, place)
    return place


def _lived(desk: Desk) -> None:
    desk.do(*opened(), *lot(), *infused("P-1"), *allocated("P-2", "control"), *confirmed("P-3"))
    desk.do(*answered("P-4", failed=1), c.ConfirmEligibility("P-4", "2026-03-09"))
    desk.do(c.EndScreening("P-4", "not eligible", "2026-03-09"), *answered("P-5", amh="<0.16 ng/mL"))
    amh = next(event.seq for event in desk.ledger.events("participant/P-2") if event.payload.get("item") == "amh")
    desk.do(c.Correct("P-2", amh, {"value": "3.0 ng/mL"}, "transcription error", "2026-03-12"))
    (closing, *_) = [one.seq for one in desk.ledger.events("participant/P-5") if one.type == "list.closed/1"]
    desk.do(c.VoidEvent("P-5", closing, "one cycle was forgotten", "2026-03-12"))
    desk.do(c.Observe("P-1", "weight", "99 kg", "2026-03-21"), c.CloseQuery("P-1", "Q1", "weighed again", "2026-03-22"))
    desk.do(c.HoldVisit("P-1", "infusion", "2026-03-20"), c.MissVisit("P-2", "cycle_start", "2026-03-12", "snow"))
    key = SeededKeyStore(1).key("P-1")
    assert key is not None
    desk.do(c.Note("P-1", encrypt(key, "She felt well.", bytes(12)), "2026-03-22"))
    desk.do(c.Perform("P-1", "embryo_transfer", "t-1", "2026-05-08"))
    desk.do(c.AddRecord("P-1", "embryo", "e-1", "2026-05-08", {"good": "yes"}, "t-1"))
    desk.do(c.CompleteRecord("P-1", "transfer", "t-1", "2026-05-22", {"pregnant": "yes"}))
    desk.do(c.AddRecord("P-1", "adverse_event", "ae-1", "2026-03-23", {"term": "fever", "grade": "2"}))
    desk.do(c.Withdraw("P-2", "moved away", "2026-04-01"))


if __name__ == "__main__":
    print(make(sys.argv[1]))  # noqa: T201
