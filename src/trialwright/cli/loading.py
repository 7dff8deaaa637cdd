"""A protocol for a verb: loaded, or refused with everything that is wrong with it."""

from __future__ import annotations

from trialwright.core.finding import Grade, Refused
from trialwright.protocol.load import load
from trialwright.protocol.protocol import Protocol


def protocol_at(path: str) -> Protocol:
    """The protocol of a folder; `Refused` with its errors where it cannot run."""
    protocol, findings = load(path)
    if protocol is None:
        raise Refused(*[found for found in findings if found.grade is Grade.ERROR])
    return protocol
