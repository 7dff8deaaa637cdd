"""The lines behind Today, Participants and Safety: kept in a table, made from the ledger, and made anew when stale.

A line is stale where something of hers was recorded since, where the moment has come until which it stands, or where
protocol, answers, software or ledger are not those that it was made by. The few that grow stale while people work are
made by whoever looks next; many at once, as after a restore or at midnight, by `keep_up` in a thread of its own, which
works a tenth of the time while somebody records, and all of it otherwise.
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import Error, close_old_connections, transaction
from django.db.models import Count, QuerySet
from pydantic import TypeAdapter

from trialwright.core.finding import Refused, finding
from trialwright.trial.state import TrialState
from trialwright.web.desk import Desk
from trialwright.web.models import Line, ReadUpTo, Work
from trialwright.web.summary import Summary, summarise

#: So many stale lines are made while somebody waits for a page; more are left to `keep_up`.
AT_ONCE = 60
#: Lines that `keep_up` makes in one transaction, out of so many, so that another process mostly makes other ones.
_BATCH, _OUT_OF = 20, 100
#: How long it rests after them, so that pages come through, and how many times as long as it worked while somebody
#: records.
_REST, _YIELDING = 0.02, 9
#: How long it waits for something to do, in seconds.
_IDLE = 20.0
#: The shape of what is kept: a line of another one is not read.
_SHAPE = 1
_STALE = datetime(2000, 1, 1, tzinfo=UTC)

_SUMMARY = TypeAdapter(Summary)


@dataclass(frozen=True, slots=True)
class Progress:
    """Of how many women the lines are those of now."""

    read: int
    women: int


def refresh(desk: Desk) -> Progress | None:
    """Make what is stale, none where it is too much at once: then how far it is, else None."""
    _mark(desk)
    stale = _stale(desk)
    few = list(stale[: AT_ONCE + 1])
    if len(few) <= AT_ONCE:
        _make(desk, few)
        return None
    women = Line.objects.count()
    return Progress(women - stale.count(), women)


def keep_up(desk: Desk, stop: threading.Event) -> None:
    """Make stale lines until told to stop; where a database is away, look again later."""
    before: int | None = None
    seq: int | None = None
    while not stop.is_set():
        started = time.perf_counter()
        try:
            with desk.looking():
                _mark(desk)
                stale = list(_stale(desk).only("identity")[:_OUT_OF])
                _make(desk, random.sample(stale, min(_BATCH, len(stale))))
                seq = desk.reach()[1]
        except (Error, Refused):  # the pages say what is wrong; here it is only tried again
            stale = []
        close_old_connections()
        worked = time.perf_counter() - started
        recorded = before not in (None, seq)
        stop.wait(_IDLE if not stale else _REST + _YIELDING * worked * recorded)
        before = seq


def summary(line: Line) -> Summary:
    """What a line says."""
    return _SUMMARY.validate_json(line.content)


def lines(site: str) -> QuerySet[Line]:
    """The lines of a site, or of every site where none is named, newest first; those that are made."""
    found = Line.objects.filter(screened__gt="").order_by("-screened", "-identity")
    return found.filter(site=site) if site else found


def summaries(desk: Desk, site: str) -> list[Summary]:
    """What every line of a site says, in the order of screening; `Refused` while they are being made."""
    progress = refresh(desk)
    if progress is not None:
        raise Refused(finding("web_lines_not_ready", read=progress.read, women=progress.women))
    return [summary(line) for line in lines(site).reverse()]


def works(site: str, section: str) -> QuerySet[Work]:
    """What stands in a list, in its order."""
    found = Work.objects.filter(section=section).select_related("line").order_by("rank", "sort")
    return found.filter(site=site) if site else found


def tally(site: str) -> dict[tuple[str, int], int]:
    """How many things stand in each list under each rank."""
    found = Work.objects.filter(site=site) if site else Work.objects.all()
    counted = found.values_list("section", "rank").annotate(number=Count("id")).order_by()
    return {(section, rank): number for section, rank, number in counted}


# ---------------------------------------------------------------- what is stale


def _stale(desk: Desk) -> QuerySet[Line]:
    return Line.objects.filter(until__lte=desk.now()).order_by("until")


def _mark(desk: Desk) -> None:
    """Mark the lines of whoever something was recorded about since the last look, and all of them where need be."""
    trial, seq, hash = desk.reach()
    software, basis, now = f"{_SHAPE} {desk.software}", _basis(trial), desk.now()
    known = ReadUpTo.objects.first()
    there = (seq, hash, software, basis)
    if known and (known.seq, known.hash, known.software, known.basis) == there and known.at <= now:
        return
    with transaction.atomic():
        known = ReadUpTo.objects.select_for_update().first()
        if known is None or known.software != software or not desk.holds(known.seq, known.hash):
            Line.objects.all().delete()
            names = desk.ledger.streams("participant/")
            made = [Line(identity=name.removeprefix("participant/"), until=_STALE) for name in names]
            Line.objects.bulk_create(made, batch_size=500)
            known = known or ReadUpTo()
        else:
            if known.basis != basis or known.at > now:  # another protocol; or a clock that was set back
                Line.objects.update(until=_STALE)
            changed = desk.changed(known.seq, seq).items()
            Line.objects.bulk_create(
                [Line(identity=identity, wanted=last, until=_STALE) for identity, last in changed],
                update_conflicts=True,
                unique_fields=["identity"],
                update_fields=["wanted", "until"],
            )
            if known.seq > seq:  # another process has seen more
                seq, hash = known.seq, known.hash
        known.seq, known.hash, known.software, known.basis, known.at = seq, hash, software, basis, now
        known.save()


def _basis(trial: TrialState) -> str:
    """What every line rests on beside her own events."""
    told = [sorted(trial.active.items()), sorted((name, one.answer) for name, one in trial.answers.items())]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


# ---------------------------------------------------------------- making lines


def _make(desk: Desk, stale: Sequence[Line]) -> None:
    """Make some lines anew; one that somebody wants to know more by now is left to the next look."""
    if not stale:
        return
    trial, today, now = desk.trial(), desk.today(), desk.now()
    made = []
    for line in stale:
        participant = desk.aside(line.identity)
        site = trial.sites.get(line.identity, "")
        if participant is not None:
            made.append((line, participant.last, summarise(desk.protocol(site), trial, participant, today, now), site))
    with transaction.atomic():
        basis = ReadUpTo.objects.select_for_update().get().basis
        if basis != _basis(trial):  # a protocol was activated meanwhile
            return
        work: list[Work] = []
        fresh: list[Line] = []
        for line, last, told, site in made:
            kept = Line.objects.filter(pk=line.pk, wanted__lte=last).update(
                wanted=last,
                until=told.until,
                site=site,
                screened=told.screened if site else "",
                tone=told.tone,
                content=_SUMMARY.dump_json(told).decode(),
            )
            if kept:
                fresh.append(line)
                work += _work(line, site, told) if site else ()
        Work.objects.filter(line__in=fresh).delete()
        Work.objects.bulk_create(work)


_VISITS = {"late": 0, "due": 1, "undecided": 2}
CLOCKS = {"overdue": 0, "at once": 1, "running": 2, "unknown": 3}


def _work(line: Line, site: str, told: Summary) -> Iterator[Work]:
    """What waits for somebody on a line, each at its place in its list."""

    def one(section: str, rank: int, sort: str, place: int) -> Work:
        return Work(line=line, site=site, section=section, rank=rank, sort=sort[:300], place=place)

    who = told.identity
    for place, visit in enumerate(told.visits):
        yield one("visits", _VISITS[visit.standing], f"{visit.latest} {who}", place)
    for place, (number, *_) in enumerate(told.queries):
        yield one("queries", 0, f"{who} {number:>6}", place)
    for place, result in enumerate(told.expiring):
        yield one("expiring", 0, f"{result.day} {who}", place)
    judged: set[str] = set()
    for place, clock in enumerate(told.clocks):
        rank = CLOCKS[clock.due.standing]
        if rank < 3:
            yield one("clocks", rank, f"{clock.due.due_local or '~'} {who}", place)
        elif clock.record not in judged:  # one line for all that wait for a judgement of the same event
            judged.add(clock.record)
            yield one("clocks", rank, f"{who} {clock.record}", place)
    for place, row in enumerate(told.filed):
        waits = any(due.standing in CLOCKS and not due.sent_at for due in row.due)
        yield one("events", 0 if waits else 1, f"{who} {row.record}", place)
