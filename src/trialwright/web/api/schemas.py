"""What goes in and comes out: a model per command, made from the command itself, and the answers."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Annotated, Any, get_args, get_type_hints

from ninja import Schema
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from trialwright.ledger.envelope import Event
from trialwright.trial import commands as c
from trialwright.trial.commands import Command


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("it holds a NUL character, which no database keeps")
    return text


#: A text as the ledger can hold it.
Text = Annotated[str, Field(max_length=10_000), AfterValidator(_without_nul)]
Number = Annotated[int, Field(ge=0, le=1_000_000_000)]

#: A signature goes with what it signs, a note is encrypted first, an erasure ends a key: none is sent alone.
_NEVER_ALONE = (c.Sign, c.Note, c.OrderErasure, c.ConfirmErasure)
COMMANDS: dict[str, type[Command]] = {one.__name__: one for one in get_args(Command) if one not in _NEVER_ALONE}


def model_of(command: type[Command]) -> type[BaseModel]:
    """The body of a command: its own fields, and nothing else."""
    hints = get_type_hints(command)
    told: dict[str, Any] = {}
    for one in fields(command):
        if one.default is not MISSING:
            default: Any = one.default
        elif one.default_factory is not MISSING:
            default = Field(default_factory=one.default_factory)
        else:
            default = ...
        told[one.name] = (_typed(hints[one.name]), default)
    first = (command.__doc__ or "").strip()
    made: type[BaseModel] = create_model(
        command.__name__, __config__=ConfigDict(extra="forbid", strict=True), __doc__=first, **told
    )
    return made


def _typed(hint: Any) -> Any:
    """The type of a field, with the limits of what a ledger holds."""
    return _TYPES[str(hint).replace("collections.abc.", "").replace("typing.", "")]


#: How each type of a command's field is told in JSON; a command with another one needs a line here.
_TYPES: dict[str, Any] = {
    "<class 'str'>": Text,
    "<class 'int'>": Number,
    "<class 'bool'>": bool,
    "Mapping[str, str]": dict[str, Text],
    "Mapping[int, str]": dict[Annotated[int, Field(ge=0, le=1_000_000_000, strict=False)], Text],
    "tuple[str, ...]": list[Text],
    "tuple[int, ...]": list[Number],
    "tuple[str, str] | None": tuple[Text, Text] | None,
}


class Told(Schema):
    """One finding: what is wrong, where, and how to mend it."""

    code: str
    says: str
    mend: str = ""
    where: str = ""


class Problem(Schema):
    """Why something was refused."""

    findings: list[Told]


class Entry(Schema):
    """One event of the ledger, with its envelope."""

    seq: int
    stream: str
    position: int
    site: str
    type: str
    on: str
    zone: str
    at: str
    user: str
    role: str
    reason: str
    command: str
    protocol: str
    software: str
    payload: dict[str, Any]
    hash: str


def entry(event: Event) -> Entry:
    """An event as it is answered."""
    return Entry(**{name: getattr(event, name) for name in Entry.model_fields})


class Outcome(Schema):
    """What a command came to: the events appended, or that it would be accepted, and which queries it raises."""

    accepted: bool
    dry_run: bool
    repeated: bool = Field(description="The key was used before: these are the events of then.")
    events: list[Entry]
    queries: list[str]


class Me(Schema):
    """Who asks, in which role and where, and what the ledger is."""

    user: str
    role: str
    site: str
    writes: bool
    expires: str
    trial: str
    virtual: bool
    today: str
    zone: str
    events: int
    may_submit: list[str]


class Woman(Schema):
    """A participant in a list."""

    participant: str
    site: str
    screened: str
    status: str
    number: int | None
    arm: str
    verdict: str
    ended: str
    open_visits: int
    open_queries: int


class Women(Schema):
    """A page of participants."""

    items: list[Woman]
    total: int
    page: int
    size: int


class Visit(Schema):
    """A visit, with its window and how it stands."""

    encounter: str
    label: str
    record: str
    earliest: str
    latest: str
    standing: str
    why: str


class Criterion(Schema):
    """A criterion, whether it holds, and why."""

    name: str
    kind: str
    words: str
    answer: str
    why: list[str]


class Ask(Schema):
    """What to ask next, and for which criteria."""

    item: str
    label: str
    cost: str
    criteria: str


class Eligible(Schema):
    """Eligibility as it stands on a day."""

    on: str
    verdict: str
    criteria: list[Criterion]
    ask_next: list[Ask]


class Observed(Schema):
    """An observation as it stands after corrections."""

    event: int
    item: str
    label: str
    person: str
    entered: str
    not_done: str
    value: dict[str, Any] | None
    attributes: dict[str, Any]
    on: str
    at: str
    user: str
    role: str


class Observations(Schema):
    """A page of observations."""

    items: list[Observed]
    total: int
    page: int
    size: int


class Entries(Schema):
    """A page of events, newest first."""

    items: list[Entry]
    total: int
    page: int
    size: int


class Work(Schema):
    """One thing that waits: a visit, a query or a clock of reporting."""

    kind: str
    participant: str
    what: str
    label: str
    record: str
    standing: str
    earliest: str
    latest: str


class Query(Schema):
    """An open query."""

    participant: str
    query: str
    item: str
    says: str


class Lot(Schema):
    """A lot of the product."""

    lot: str
    product: str
    state: str
    parent: str
    units: int


class Unit(Schema):
    """A unit prepared for one participant."""

    unit: str
    participant: str
    product: str
    state: str
    lot: str
    planned: str
    viable: str
    expires: str
    ratio: str


class Alert(Schema):
    """What paused the trial or asked for a review."""

    alert: str
    on: str
    action: str
    says: str
    participant: str
    pauses: bool
    decision: str


class Offer(Schema):
    """An export that may be had."""

    name: str
    title: str
    file: str
    whole_trial: bool


class Making(Schema):
    """An export that is still being made."""

    step: str
    seconds: int


class ProtocolTold(Schema):
    """The protocol in force where the one who asks works."""

    trial: str
    version: str
    digest: str
    title: str
    sites: dict[str, str]
    document: dict[str, Any]
