"""Product: lots and units, from where they came to whom they went, and the next step of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from trialwright.language.facts import Observation
from trialwright.language.values import show
from trialwright.language.vocabulary import Vocabulary
from trialwright.protocol.document import ItemPart
from trialwright.trial.custody import Lot, Unit, donor_of, origin_of, recipients
from trialwright.trial.events import stream_of
from trialwright.web.fields import shown_unit
from trialwright.web.guard import allowed, desk, within
from trialwright.web.orders import ORDERS
from trialwright.web.pages.order import link_to
from trialwright.web.requirements import of_lot, of_unit
from trialwright.web.words import label, written

#: The state of a lot or a unit -> the orders that lead on from it, the usual one first.
LOT_STEPS: dict[str, tuple[str, ...]] = {
    "registered": ("test-lot", "release-lot", "reject-lot"),
    "conditional": ("test-lot", "release-lot", "recall-lot"),
    "released": ("test-lot", "recall-lot"),
}
UNIT_STEPS: dict[str, tuple[str, ...]] = {
    "ordered": ("manufacture-unit", "reject-unit"),
    "manufactured": ("test-unit", "release-unit", "reject-unit"),
    "tested": ("release-unit", "test-unit", "reject-unit"),
    "released": ("issue-unit", "test-unit", "reject-unit"),
    "conditional": ("issue-unit", "test-unit", "reject-unit"),
    "issued": ("receive-unit", "reject-unit"),
    "received": ("verify-unit", "reject-unit"),
    "verified": ("perform", "reject-unit"),
    "infusing": ("end-infusion", "interrupt-infusion"),
    "interrupted": ("resume-infusion", "end-infusion"),
    "complete": ("reconcile-unit", "test-unit"),
    "partial": ("reconcile-unit", "test-unit"),
    "aborted": ("reconcile-unit", "test-unit"),
    "rejected": ("reconcile-unit",),
}
TONES = {
    "released": "good",
    "conditional": "open",
    "registered": "open",
    "rejected": "bad",
    "recalled": "bad",
    "complete": "good",
    "reconciled": "off",
    "accepted": "good",
}
#: The way of a unit, as its page shows it.
WAY = (
    "ordered",
    "manufactured",
    "tested",
    "released",
    "issued",
    "received",
    "verified",
    "infusing",
    "complete",
    "reconciled",
)


def product(request: HttpRequest) -> HttpResponse:
    """Donors, lots and units."""
    trial, protocol = desk().trial(), desk().protocol(request.acting.site)
    custody = trial.custody
    units = [one for one in custody.units.values() if within(request, trial.sites.get(one.participant))]
    names = ("register-donor", "register-material", "register-lot", "validate-hold")
    context = {
        "lots": [
            (one, label(protocol, one.product), TONES.get(one.state, "open"), _cells(one))
            for one in reversed(custody.lots.values())
        ],
        "units": [
            (one, TONES.get(one.state, "open")) for one in sorted(units, key=lambda u: u.moves[-1].on, reverse=True)
        ],
        "donors": [
            (one, TONES.get(one.state, "open"), _donor_steps(request, one.identity, one.state))
            for one in custody.donors.values()
        ],
        "holds": [(label(protocol, name), hours, report) for name, (hours, report) in custody.holds.items()],
        "orders": [
            (ORDERS[name].title, link_to(name, back="/product"))
            for name in names
            if allowed(request, ORDERS[name].command)
        ],
    }
    return render(request, "web/product.html", context)


def lot(request: HttpRequest, identity: str) -> HttpResponse:
    """One lot: where it came from, its results against the requirements, what was made of it and for whom."""
    trial, protocol = desk().trial(), desk().protocol(request.acting.site)
    found = trial.custody.lots.get(identity)
    if found is None:
        raise Http404
    here, document = f"/product/lots/{identity}/", protocol.document.products[found.product]
    donor = donor_of(trial.custody, identity)
    context = {
        "lot": found,
        "product": label(protocol, found.product),
        "tone": TONES.get(found.state, "open"),
        "origin": list(reversed(origin_of(trial.custody, identity))),
        "donor": donor,
        "results": _results(protocol.products[found.product], document.items, found.results),
        "requirements": list(of_lot(protocol, trial, identity, str(desk().today()))),
        "units": [
            one
            for one in trial.custody.units.values()
            if one.lot == identity and within(request, trial.sites.get(one.participant))
        ],
        "recipients": [one for one in recipients(trial.custody, identity) if within(request, trial.sites.get(one[0]))],
        "signatures": desk().signatures_on(stream_of("lot", identity)),
        "steps": _steps(request, LOT_STEPS.get(found.state, ()), lot=identity, back=here),
    }
    return render(request, "web/lot.html", context)


def unit(request: HttpRequest, identity: str) -> HttpResponse:
    """One unit: its way from the order to her, who moved it, and the next step."""
    trial, protocol = desk().trial(), desk().protocol(request.acting.site)
    found = trial.custody.units.get(identity)
    if found is None or not within(request, trial.sites.get(found.participant)):
        raise Http404
    here, document = f"/product/units/{identity}/", protocol.document.products[found.product].unit
    context = {
        "unit": found,
        "tone": TONES.get(found.state, "open"),
        "intervention": label(protocol, found.intervention),
        "way": _way(found),
        "results": _results(protocol.units[found.product], document.items, found.results),
        "requirements": list(of_unit(protocol, trial, found, str(desk().today()))),
        "signatures": desk().signatures_on(stream_of("unit", identity)),
        "steps": _unit_steps(request, found, here),
        "checked": list(dict.fromkeys(found.verified_by)),
        "lot": trial.custody.lots.get(found.lot),
    }
    return render(request, "web/unit.html", context)


def _cells(lot: Lot) -> str:
    told = lot.results.get("viable_cells")
    return _shown(told[-1].entered) if told else ""


def _shown(text: str) -> str:
    """A value with its unit as people write it."""
    value, _, code = text.partition(" ")
    return f"{value} {shown_unit(code)}" if code else value


def _donor_steps(request: HttpRequest, donor: str, state: str) -> list[tuple[str, str]]:
    names = {"registered": ("test-donor", "accept-donor", "reject-donor"), "accepted": ("test-donor", "reject-donor")}
    return _steps(request, names.get(state, ()), donor=donor, back="/product")


def _steps(request: HttpRequest, names: Sequence[str], **known: str) -> list[tuple[str, str]]:
    return [(ORDERS[name].title, link_to(name, **known)) for name in names if allowed(request, ORDERS[name].command)]


def _unit_steps(request: HttpRequest, found: Unit, here: str) -> list[tuple[str, str]]:
    """The next steps; at the bedside the identifiers are not handed on, so that somebody reads them."""
    steps = []
    for name in UNIT_STEPS.get(found.state, ()):
        if not allowed(request, ORDERS[name].command):
            continue
        known = {"unit": found.identity, "participant": found.participant, "intervention": found.intervention}
        if name == "verify-unit":
            known = {}
        title = _("Begin the infusion") if name == "perform" else ORDERS[name].title
        steps.append((title, link_to(name, **known, back=here)))
    return steps


def _way(found: Unit) -> list[tuple[str, bool]]:
    reached = {move.state for move in found.moves}
    if "conditional" in reached:
        reached.add("released")
    if reached & {"partial", "aborted"}:
        reached.add("complete")
    return [(one, one in reached) for one in WAY]


def _results(
    vocabulary: Vocabulary, items: Mapping[str, ItemPart], results: Mapping[str, Sequence[Observation]]
) -> list[tuple[str, str, str]]:
    """Every item with its last result and the day of it."""
    rows = []
    for name, item in vocabulary.items.items():
        told = results.get(name)
        if name not in items and not told:
            continue
        last = told[-1] if told else None
        value = show(last.value, item.unit.code) if last and last.value is not None else ""
        value = _shown(last.entered) if last and last.entered else value
        text = written(items[name].label) if name in items else name.replace("_", " ")
        rows.append((text, value, last.date.text if last and last.date else ""))
    return rows
