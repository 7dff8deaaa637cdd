"""What the rows share: a temporary folder, the number of runs, and NCT07176143 rehearsed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path

from trialwright import __version__
from trialwright.cli.loading import protocol_at
from trialwright.ledger.envelope import Event
from trialwright.ledger.store import Header, Ledger, create, open_ledger
from trialwright.protocol.protocol import Protocol
from trialwright.rehearsal.model import load_model
from trialwright.rehearsal.rehearse import rehearse

_FOLDER = Path(__file__).parent.parent / "protocols"
PROTOCOL = _FOLDER / "nct07176143"
PROTOCOLS = (PROTOCOL, _FOLDER / "nct04706312")
SOFTWARE = __version__
OPENED = "2025-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Sample:
    """A rehearsed trial: where its ledger lies, its protocol, and its events in order and by participant."""

    place: Path
    protocol: Protocol
    events: tuple[Event, ...]
    participants: dict[str, list[Event]]


class Workplace:
    """One run of the benchmark."""

    def __init__(self, folder: Path, runs: int, long: bool = False) -> None:
        self.folder = folder
        self.runs = runs
        self.long = long
        self._numbers = count(1)

    def fresh(self, name: str) -> Path:
        """A path where nothing is yet."""
        return self.folder / f"{next(self._numbers)}-{name}"

    @cached_property
    def sample(self) -> Sample:
        """The rehearsed trial, made when it is first asked for."""
        protocol = protocol_at(str(PROTOCOL))
        model = load_model(protocol, PROTOCOL)
        scenario = model.document.scenario
        place = self.fresh("sample.ledger")
        header = Header("virtual", protocol.document.trial, protocol.digest, SOFTWARE, 1, scenario)
        with create(place, header, f"{model.document.start}T00:00:00Z") as ledger:
            rehearse(protocol, model, ledger, 1, scenario)
        events, participants = read(place)
        return Sample(place, protocol, tuple(events), participants)

    def empty_ledger(self, place: str | Path) -> Ledger:
        """A new ledger of the same trial."""
        protocol = self.sample.protocol
        return create(place, Header("virtual", protocol.document.trial, protocol.digest, SOFTWARE, 1, ""), OPENED)


def read(place: str | Path) -> tuple[list[Event], dict[str, list[Event]]]:
    """Every event of a ledger, decoded, and those of each participant."""
    participants: dict[str, list[Event]] = {}
    with open_ledger(place) as ledger:
        events = list(ledger.events())
    for event in events:
        kind, _, identity = event.stream.partition("/")
        if kind == "participant":
            participants.setdefault(identity, []).append(event)
    return events, participants
