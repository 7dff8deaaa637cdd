"""What has been recorded about one participant, as the language sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trialwright.core.interval import Interval
from trialwright.core.partial_date import PartialDate
from trialwright.language.values import Value

NO_ATTRIBUTES: Mapping[str, Value] = {}


@dataclass(slots=True)
class Observation:
    """One answer to one item; `value` is None where there is no result, and `why` says why.

    `value` is normalised to the item's canonical unit; `entered` is what was typed. `event` is the number of
    the event that recorded it.
    """

    value: Value | None
    date: PartialDate | None
    attributes: Mapping[str, Value] = field(default_factory=lambda: NO_ATTRIBUTES)
    entered: str = ""
    why: str = ""
    event: int = 0
    normal: Interval | None = None


@dataclass(slots=True)
class RecordEntry:
    """One record of a kind, with its fields, its parent's identity and its date."""

    kind: str
    identity: str
    date: PartialDate | None
    fields: Mapping[str, Observation]
    parent: str = ""
    event: int = 0


@dataclass(slots=True)
class Facts:
    """Everything the language may ask about one person.

    `closed` maps a list (a record kind, or the name an item's absence hangs on) to the date of the event that
    closed it. `relatives` are partner, donor, child: each a person of their own.
    """

    observations: Mapping[str, Sequence[Observation]] = field(default_factory=dict)
    records: Mapping[str, Sequence[RecordEntry]] = field(default_factory=dict)
    closed: Mapping[str, PartialDate] = field(default_factory=dict)
    anchors: Mapping[str, Sequence[PartialDate]] = field(default_factory=dict)
    relatives: Mapping[str, Facts] = field(default_factory=dict)


NO_FACTS = Facts()
