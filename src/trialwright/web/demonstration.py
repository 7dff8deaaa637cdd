"""The demonstration: a rehearsed trial that stands on a day in its middle, and people of every role."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from trialwright import __version__
from trialwright.ledger.identity import Identity
from trialwright.ledger.store import Header, Ledger, create
from trialwright.ledger.vault import Vault, Visitor
from trialwright.protocol.adverse_event import ADVERSE_EVENT
from trialwright.protocol.protocol import Protocol
from trialwright.rehearsal.model import Model
from trialwright.rehearsal.rehearse import rehearse
from trialwright.trial import commands as c
from trialwright.trial.delegations import ADMINISTRATOR, ROLES
from trialwright.trial.office import Sender
from trialwright.web.desk import Desk, stamp

#: How far into the trial the demonstration stands: then women are screened, treated and followed at once.
DAYS_IN = 213
_OPENS = time(8, 5)
#: Roles that belong to the trial and not to one site.
_EVERYWHERE = frozenset(
    {
        "cell laboratory",
        "quality person",
        "monitor",
        "data manager",
        "safety board",
        "statistician",
        "auditor",
        "sponsor",
        ADMINISTRATOR,
    }
)


def rehearsed(
    protocol: Protocol, model: Model, place: str, seed: int, progress: Callable[[str], None], day: int = DAYS_IN
) -> Ledger:
    """A ledger with the trial up to the day before the one that the demonstration opens on."""
    scenario = model.document.scenario
    header = Header("virtual", protocol.document.trial, protocol.digest, __version__, seed, scenario)
    ledger = create(place, header, f"{model.document.start}T00:00:00Z")
    rehearse(protocol, model, ledger, seed, scenario, progress, until=opens_on(model, day) - timedelta(days=1))
    return ledger


def opens_on(model: Model, day: int = DAYS_IN) -> date:
    """The day on which the demonstration opens: so many days after the first woman may come."""
    return date.fromisoformat(model.document.start) + timedelta(days=day)


def clock_from(day: date, zone: str, started: datetime) -> Callable[[], datetime]:
    """A clock that read the morning of a day when the server started, and goes on from there."""
    opening = datetime.combine(day, _OPENS, ZoneInfo(zone)).astimezone(UTC)
    return lambda: opening + (datetime.now(UTC) - started)


def report_an_event(desk: Desk) -> None:
    """One serious event came to light this morning, so that clocks run: of the woman who was treated last."""
    protocol, trial = desk.protocol(), desk.trial()
    record = protocol.vocabulary.records.get(ADVERSE_EVENT)
    treated = [who for women in trial.treated.values() for who in women]
    if record is None or not treated:
        return
    aware = (desk.local() - timedelta(minutes=25)).strftime("%Y-%m-%dT%H:%M")
    told = {"serious": "yes", "hospitalisation": "yes", "related": "unlikely", "aware": aware}
    told |= {"term": record.fields["term"].categories[-1]} if "term" in record.fields else {}
    order = c.AddRecord(treated[-1], ADVERSE_EVENT, "event-of-this-morning", str(desk.today()), told)
    desk.submit({"AddRecord": order}, Sender("investigator", "investigator", stamp(desk.now())), "demonstration event")


def name_everybody(desk: Desk, vault: Vault) -> None:
    """A virtual name and number for every woman, so that the vault has something to show."""
    by = Visitor("demonstration", "coordinator", stamp(desk.now()))
    for identity in desk.trial().sites:
        number = identity.rpartition("-")[2]
        made = Identity(
            f"虚拟女士{number}",
            f"Virtual Woman {number}",
            f"V-{number.zfill(6)}",
            f"000 0000 0{number}",
            "No street of any town",
            f"Virtual husband, 000 0000 1{number}",
            "Chinese",
        )
        vault.keep(identity, made, by)


def populate(desk: Desk, site: str, begins: str) -> None:
    """A virtual account with one role each; two investigators and two coordinators, since a check needs two people."""
    from django.contrib.auth.hashers import make_password

    from trialwright.web.models import Account  # Django is set up by now

    today = str(desk.today())
    for role in (*ROLES, "investigator", "coordinator"):
        name = role.replace(" ", "-")
        if Account.objects.filter(username=name).exists():
            name = f"{name}-2"
        full = f"Virtual {role}" + (" 2" if name.endswith("-2") else "")
        Account.objects.create(username=name, first_name=full, password=make_password(None))
        at = "" if role in _EVERYWHERE else site
        order = c.Delegate(name, role, begins, "virtual training for a demonstration", today, at)
        by = Sender(ADMINISTRATOR, ADMINISTRATOR, stamp(desk.now()))
        desk.submit({"Delegate": order}, by, f"demonstration {name}")
