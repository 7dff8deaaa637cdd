"""Commands for single submissions: those that a rehearsal gave, read back from what they left in its ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from bench.workplace import Sample
from trialwright.ledger.envelope import Event
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.office import Sender


@dataclass(frozen=True, slots=True)
class Submitted:
    """A command, and who gave it when."""

    command: c.Command
    by: Sender


def commands(sample: Sample, number: int) -> list[Submitted]:
    """The activation of the protocol, and the first commands that bring a participant or data about her."""
    return list(islice(_all(sample), number))


def _all(sample: Sample) -> Iterator[Submitted]:
    for event in sample.events:
        command = _command(event, event.stream.partition("/")[2], event.payload)
        if command is not None:
            yield Submitted(command, Sender(event.user, event.role, event.at))


def _command(event: Event, participant: str, payload: Mapping[str, Any]) -> c.Command | None:
    match event.type:
        case e.PROTOCOL_ACTIVATED:
            return c.ActivateProtocol(event.site, payload["digest"], payload["approval"], event.on)
        case e.SCREENED:
            return c.Screen(participant, event.site, event.on)
        case e.CONSENTED:
            return c.Consent(participant, payload["version"], event.on)
        case e.OBSERVED:
            normal = payload.get("normal")
            return c.Observe(
                participant,
                payload["item"],
                payload.get("value", {}).get("entered", ""),
                event.on,
                _entered(payload.get("attributes", {})),
                payload.get("person", ""),
                (normal[0]["entered"], normal[1]["entered"]) if normal else None,
                payload.get("not_done", ""),
            )
        case e.LIST_CLOSED:
            return c.CloseList(participant, payload["list"], event.on)
        case e.RECORD_ADDED if not payload["parent"]:
            return c.AddRecord(participant, payload["kind"], payload["record"], event.on, _entered(payload["fields"]))
        case _:
            return None


def _entered(values: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {name: value["entered"] for name, value in values.items()}
