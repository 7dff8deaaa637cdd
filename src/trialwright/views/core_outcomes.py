"""The core outcomes of infertility trials (COMMIT 2020), arm by arm: women per woman allocated, children per child."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from trialwright.core.interval import is_point
from trialwright.core.partial_date import is_day, partial_date
from trialwright.core.truth import Truth
from trialwright.trial.facts import anchor_date
from trialwright.trial.state import Participant
from trialwright.views.analysis_sets import members
from trialwright.views.cutoff import CutOff, arms_shown, in_arm
from trialwright.views.pregnancies import ChildRow, TransferRow, children, transfers

COMMIT = "COMMIT 2020"
_LIVE_BIRTH = "live birth"


@dataclass(frozen=True, slots=True)
class CoreOutcome:
    """One core outcome in one arm.

    Of a `share`, `yes` of `of` have it and of `unknown` it is not known yet; of a `measure`, `values` of `of` are
    known, and `middle`, `least` and `greatest` describe them in `unit`. `counts` says what `of` counts.
    """

    outcome: str
    arm: str
    kind: Literal["share", "measure"]
    counts: str
    of: int
    yes: int = 0
    unknown: int = 0
    unit: str = ""
    values: int = 0
    middle: float | None = None
    least: float | None = None
    greatest: float | None = None
    participants: tuple[str, ...] = ()


def core_outcomes(cut: CutOff) -> list[CoreOutcome]:
    """The whole table, outcome by outcome; nothing where the protocol maps no pregnancies."""
    if cut.protocol.document.pregnancy is None:
        return []
    everybody = members(cut, next(iter(cut.protocol.document.analysis.sets)))
    arms = [_Arm(cut, arm, in_arm(everybody, arm), transfers(cut), children(cut)) for arm in arms_shown(cut)]
    rows = [row for arm in arms for row in arm.rows()]
    order = list(dict.fromkeys(row.outcome for row in rows))
    return sorted(rows, key=lambda row: order.index(row.outcome))


class _Arm:
    """The women of an arm with their transfers and children."""

    def __init__(
        self, cut: CutOff, arm: str, women: Sequence[Participant], all_: Sequence[TransferRow], born: Sequence[ChildRow]
    ) -> None:
        self.cut, self.arm, self.women = cut, arm, women
        inside = {one.identity for one in women}
        self.transfers = [row for row in all_ if row.participant in inside]
        self.children = [row for row in born if row.participant in inside]

    def rows(self) -> Iterator[CoreOutcome]:
        """Every outcome of the arm, in the order of the core set."""
        for name in (
            "viable intrauterine pregnancy", "viable singleton", "viable twins", "viable triplets or more",
            "ectopic pregnancy", "miscarriage", "stillbirth", "termination of pregnancy", _LIVE_BIRTH,
        ):  # fmt: skip
            yield self._women(name)
        births = [row for row in self.transfers if _label(row, _LIVE_BIRTH) is Truth.YES]
        ages = [float(row.age_at_end.low) / 7 for row in births if is_point(row.age_at_end)]
        yield self._measure("gestational age at live birth", "live births", "weeks", ages, len(births))
        waits = [days for row in births if (days := self._days(row)) is not None]
        name = "time from allocation to the transfer that led to a live birth"
        yield self._measure(name, "live births", "days", waits, len(births))
        weights = [float(one.weight_g) for one in self.children if one.weight_g is not None]
        yield self._measure("birth weight", "children", "g", weights, len(self.children))
        alive = [one for one in self.children if one.alive_at_birth is Truth.YES]
        yield self._children("neonatal death within 28 days", "children born alive", alive, _neonatal_death)
        yield self._children("congenital anomaly", "children", self.children, _anomaly)

    def _women(self, name: str) -> CoreOutcome:
        part = self.cut.protocol.document.pregnancy
        assert part is not None, "a protocol that maps pregnancies"
        hers: dict[str, list[Truth]] = {one.identity: [] for one in self.women}
        for row in self.transfers:
            hers[row.participant].append(_label(row, name))
        yes = tuple(who for who, answers in hers.items() if Truth.YES in answers)
        unknown = sum(
            1
            for one in self.women
            if one.identity not in yes and (Truth.UNKNOWN in hers[one.identity] or part.record not in one.closed)
        )
        return CoreOutcome(
            name, self.arm, "share", "women allocated", len(self.women), len(yes), unknown, participants=yes
        )

    def _children(
        self, name: str, counts: str, of: Sequence[ChildRow], answer: Callable[[ChildRow], Truth]
    ) -> CoreOutcome:
        answers = [answer(one) for one in of]
        yes = tuple(one.participant for one, found in zip(of, answers, strict=True) if found is Truth.YES)
        return CoreOutcome(
            name, self.arm, "share", counts, len(of), len(yes), answers.count(Truth.UNKNOWN), participants=yes
        )

    def _measure(self, name: str, counts: str, unit: str, values: Sequence[float], of: int) -> CoreOutcome:
        told = (median(values), min(values), max(values)) if values else (None, None, None)
        return CoreOutcome(name, self.arm, "measure", counts, of, 0, 0, unit, len(values), *told)

    def _days(self, row: TransferRow) -> float | None:
        one = self.cut.participants[row.participant]
        began = anchor_date(self.cut.protocol, one, "allocation")
        done = partial_date(row.on) if row.on else None
        if began is None or done is None or not (is_day(began) and is_day(done)):
            return None
        return float((done.earliest.date() - began.earliest.date()).days)


def _label(row: TransferRow, name: str) -> Truth:
    return next(one.value for one in row.labels if (one.definition, one.name) == (COMMIT, name))


def _neonatal_death(child: ChildRow) -> Truth:
    return ~child.alive_at_28_days


def _anomaly(child: ChildRow) -> Truth:
    told = dict(child.recorded).get("anomaly", "")
    return {"yes": Truth.YES, "no": Truth.NO}.get(told, Truth.UNKNOWN)
