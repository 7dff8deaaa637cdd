"""An import at the desk: what the gate says of each row, all accepted rows in one transaction, and taking them back."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from trialwright.core.finding import Finding, finding, text
from trialwright.exchange.import_rows import ImportRow
from trialwright.exchange.mapping import Mapping, digest
from trialwright.exchange.sheet import Sheet
from trialwright.ledger.envelope import VOIDED, Event
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.commands import Command
from trialwright.trial.office import Sender
from trialwright.web.desk import Desk
from trialwright.web.words import language

Standing: TypeAlias = Literal["accepted", "refused", "known"]

#: What an import writes about a participant, and what is taken back with it.
_OWN = frozenset({e.SCREENED, e.OBSERVED, e.RECORD_ADDED, e.RECORD_COMPLETED, e.QUERY_OPENED})


@dataclass(slots=True)
class Previewed:
    """One row with what the gate says of it."""

    row: ImportRow
    found: list[Finding] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def standing(self) -> Standing:
        """Whether it would be recorded, is refused, or says nothing new."""
        return "refused" if self.found else "accepted" if self.row.commands else "known"


def preview(
    desk: Desk, rows: Sequence[ImportRow], by: Sender, may_do: Callable[[type[Command]], bool]
) -> list[Previewed]:
    """Each row as the gate would take it; nothing is written. A row is accepted whole or not at all."""
    seen = [Previewed(row, list(row.found)) for row in rows]
    for one in seen:
        forbidden = [command for command in one.row.commands.values() if not may_do(type(command))]
        if forbidden and not one.found:
            what = type(forbidden[0]).__name__
            one.found.append(finding("role_wrong", what=what, needed="another role", user=by.user, role=by.role))
    women: dict[str, list[Previewed]] = {}
    for one in seen:
        if one.row.commands and not one.found:
            women.setdefault(one.row.participant, []).append(one)
    for hers in women.values():
        while _try(desk, hers, by):  # what rested on a refused row is tried again without it
            hers[:] = [one for one in hers if not one.found]
    return seen


def commands_of(seen: Iterable[Previewed]) -> dict[str, Command]:
    """The commands of the accepted rows, by row and name."""
    return {
        _name(one, name): command
        for one in seen
        if one.standing == "accepted"
        for name, command in one.row.commands.items()
    }


def carry_out(desk: Desk, sheet: Sheet, form: str, seen: Sequence[Previewed], by: Sender, keep: bytes) -> list[Event]:
    """The new events of the accepted rows, in one transaction; none where the file was imported before.

    Each says as its reason from which file and row it comes.
    """
    commands = commands_of(seen)
    source = {
        _name(one, name): f"imported from {sheet.name}, row {one.row.number}, SHA-256 {sheet.digest}"
        for one in seen
        for name in one.row.commands
    }
    before = desk.ledger.last()
    events = desk.submit(commands, by, form, because=source, keep=keep)
    return [event for event in events if event.seq > before]


def form_of(sheet: Sheet, mapping: Mapping, undone: int) -> str:
    """What makes an import the same as an earlier one: the file, the mapping, and how often it was undone."""
    return f"import {sheet.digest} by {digest(mapping)[:12]} {undone + 1}"


def to_void(desk: Desk, first: int, last: int, form: str, reason: str) -> tuple[dict[str, Command], list[Finding]]:
    """The commands that take an import back, one for each participant, or what rests on it and must go before."""
    written = [
        event
        for event in desk.ledger.events(after=first - 1, upto=last)
        if event.command.startswith(f"{form} ") and event.type in _OWN
    ]
    commands: dict[str, Command] = {}
    resting: list[str] = []
    for stream in dict.fromkeys(event.stream for event in written):
        identity = stream.removeprefix("participant/")
        events = desk.events_of(identity)
        gone = {event.payload.get("of") for event in events if event.type == VOIDED}
        ours = [event for event in written if event.stream == stream and event.seq not in gone]
        resting += [f"{identity}: {one.type}" for one in _resting(events, ours, gone)]
        woman = desk.participant(identity)
        open_queries = set(woman.queries) if woman is not None else set()
        back = [
            event.seq
            for event in reversed(ours)
            if event.type != e.QUERY_OPENED or str(event.payload.get("query")) in open_queries
        ]
        if back:
            commands[identity] = c.VoidEvent(identity, back[0], reason, str(desk.today()), tuple(back[1:]))
    if resting:
        return {}, [finding("import_built_upon", count=len(resting), example=resting[0])]
    return commands, []


def refusals(seen: Sequence[Previewed]) -> str:
    """The refused rows as CSV for a spreadsheet, with a byte-order mark; no cell of it can be taken for a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["row", "participant", "what stands in the way"])
    for one in seen:
        for found in one.found:
            writer.writerow([one.row.number, harmless(one.row.participant), harmless(text(found, language()))])
    return "\ufeff" + out.getvalue()


def harmless(cell: str) -> str:
    """A text that no spreadsheet program takes for a formula: an apostrophe goes before what begins like one.

    >>> harmless("=1+1"), harmless("P-001")
    ("'=1+1", 'P-001')
    """
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else cell


def _try(desk: Desk, hers: Sequence[Previewed], by: Sender) -> bool:
    """Try the rows of one participant one after the other; whether one was refused, which then says why."""
    commands = {_name(one, name): command for one in hers for name, command in one.row.commands.items()}
    tried = desk.try_out(commands, by)
    for one in hers:
        names = [_name(one, name) for name in one.row.commands]
        one.found += [found for name in names for found in tried.refused.get(name, ())]
        one.asked = [says for name in names for says in tried.asked.get(name, ())]
    return bool(tried.refused)


def _name(one: Previewed, name: str) -> str:
    return f"row {one.row.number} {name}"


def _resting(events: Sequence[Event], ours: Sequence[Event], gone: Collection[object]) -> list[Event]:
    """What somebody else recorded on top of records, or of a participant, that the import brought in."""
    mine = {event.seq for event in ours}
    records = {
        (event.payload.get("kind"), event.payload.get("record")) for event in ours if event.type == e.RECORD_ADDED
    }
    parents = {record for _, record in records}
    screened = any(event.type == e.SCREENED for event in ours)
    found = []
    for event in events:
        if event.seq in mine or event.seq in gone or event.type == VOIDED or not ours or event.seq < ours[0].seq:
            continue
        of_record = (event.payload.get("kind"), event.payload.get("record")) in records
        if screened or of_record or (event.payload.get("parent") or None) in parents:
            found.append(event)
    return found
