"""What somebody at one site may give orders about: her own site, and nothing else, whatever its name."""

from __future__ import annotations

from dataclasses import fields

from trialwright.core.finding import Refused, finding
from trialwright.trial.commands import Command, Screen
from trialwright.trial.state import Delegation
from trialwright.web.desk import Desk


def in_reach(desk: Desk, acting: Delegation, command: Command) -> None:
    """Refuse a command about another site, or about every site, from somebody who acts at one.

    Of a woman of another site it is not said that she exists.
    """
    here = acting.site
    if not here:
        return
    state, told = desk.trial(), {one.name: getattr(command, one.name) for one in fields(command)}
    for name in ("participant", "of_participant"):
        who = told.get(name, "")
        if not isinstance(command, Screen) and state.sites.get(who, here) != here:
            raise Refused(finding("participant_unknown", participant=who))
    unit, alert = state.custody.units.get(told.get("unit", "")), state.alerts.get(told.get("alert", ""))
    if unit is not None and state.sites.get(unit.participant) != here:
        raise Refused(finding("not_at_this_site", what=f"unit {unit.identity}", site=here))
    if alert is not None and alert.participant and state.sites.get(alert.participant) != here:
        raise Refused(finding("not_at_this_site", what=f"alert {alert.identity}", site=here))
    held = state.delegations.get(told.get("delegation", ""))
    where = held.site if held is not None else told.get("site", here)
    if where != here and not (where == "" and told.get("participant")):  # without a site or a woman it is everywhere
        raise Refused(finding("not_at_this_site", what=f"“{where}”" if where else "every site", site=here))
