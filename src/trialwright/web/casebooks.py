"""A line on each casebook: how far its forms are, what is verified, asked, signed, frozen and locked."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from weakref import WeakKeyDictionary

from django.utils.translation import gettext as _

from trialwright.protocol.protocol import Protocol
from trialwright.trial.casebook import is_signed, verification
from trialwright.trial.forms import forms, lock_on
from trialwright.trial.state import Participant, TrialState
from trialwright.web.desk import Desk
from trialwright.web.summary import standing

#: How the state of a form looks.
TONES = {
    "not started": "quiet", "in progress": "open", "complete": "good", "missed": "quiet", "verified": "good",
    "signed": "good", "frozen": "cold", "locked": "shut",
}  # fmt: skip
#: The states that say more of a visit than that it was held or missed.
SAYS_MORE = frozenset({"in progress", "verified", "signed", "frozen", "locked"})


@dataclass(frozen=True, slots=True)
class Line:
    """One casebook in figures: `done` of `due` forms, `verified` of `able` entries, queries by their state."""

    identity: str
    site: str
    status: str
    tone: str
    due: int
    done: int
    able: int
    verified: int
    open: int
    answered: int
    signed: str  # signed, void, or nothing
    frozen: int  # how many freezes hold
    locked: bool


@dataclass(frozen=True, slots=True)
class Total:
    """The casebooks of a site together."""

    site: str
    women: int
    due: int
    done: int
    able: int
    verified: int
    open: int
    answered: int
    signed: int
    locked: int


def lines(desk: Desk, site: str) -> list[Line]:
    """The casebooks of a site, or of every site; only those are folded again that changed since they were asked for."""
    trial, today, known = desk.trial(), desk.today(), _KNOWN.setdefault(desk, _Known())
    protocols = {at: desk.protocol(at) for at in set(trial.sites.values()) if site in ("", at)}
    with known.lock:
        _catch_up(desk, known)
        found = []
        for identity, at in trial.sites.items():
            if at not in protocols:
                continue
            key = (known.changed.get(identity, 0), today, protocols[at].digest, len(trial.answers))
            if known.lines.get(identity, ((), None))[0] != key:
                woman = desk.participant(identity)
                known.lines[identity] = (key, line(protocols[at], trial, woman, today) if woman else None)
            one = known.lines[identity][1]
            if one is not None:
                found.append(replace(one, locked=lock_on(trial, at, identity) is not None))
    return found


@dataclass(slots=True)
class _Known:
    """What one process remembers of a ledger: how far it has looked, when each participant changed, and her line."""

    last: int = 0
    changed: dict[str, int] = field(default_factory=dict)
    lines: dict[str, tuple[Hashable, Line | None]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


_KNOWN: WeakKeyDictionary[Desk, _Known] = WeakKeyDictionary()


def _catch_up(desk: Desk, known: _Known) -> None:
    """See which participants have changed since the last look; at the first one everybody is new."""
    last = desk.ledger.last()
    for event in desk.ledger.events(after=known.last, upto=last) if known.last else ():
        if event.stream.startswith("participant/"):
            known.changed[event.stream.removeprefix("participant/")] = event.seq
    known.last = last


def line(protocol: Protocol, trial: TrialState, woman: Participant, today: date) -> Line:
    """One casebook on a day."""
    status, tone = standing(protocol, woman)
    told = [one for one in forms(protocol, trial, woman, today) if one.visit is not None]
    due = [one for one in told if one.owed or one.entered in ("complete", "missed")]
    verified, able = verification(woman)
    states = [one.state for one in woman.threads.values()]
    signed = "" if woman.casebook is None else "signed" if is_signed(woman) else "void"
    return Line(
        woman.identity, woman.site, status, tone, len(due), sum(not one.owed for one in due), able, verified,
        states.count("open"), states.count("answered"), signed,
        sum(hold.holds for hold in woman.frozen.values()), lock_on(trial, woman.site, woman.identity) is not None,
    )  # fmt: skip


def totals(found: Iterable[Line]) -> list[Total]:
    """The figures of each site, in the order of the sites' names."""
    by_site: dict[str, list[Line]] = {}
    for one in found:
        by_site.setdefault(one.site, []).append(one)
    return [
        Total(
            site, len(those), sum(one.due for one in those), sum(one.done for one in those),
            sum(one.able for one in those), sum(one.verified for one in those), sum(one.open for one in those),
            sum(one.answered for one in those), sum(one.signed == "signed" for one in those),
            sum(one.locked for one in those),
        )
        for site, those in sorted(by_site.items())
    ]  # fmt: skip


def share(counted: int, of: int) -> str:
    """A share with what it is of: `12 of 48 (25 %)`; without a denominator there is none."""
    if not of:
        return str(_("none"))
    percent = 100 * counted // of
    values = {"counted": counted, "of": of, "percent": "<1" if counted and not percent else percent}
    return str(_("%(counted)s of %(of)s (%(percent)s %%)") % values)
