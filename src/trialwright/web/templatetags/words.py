"""How templates call things: labels of the protocol, events in words, times as the site reads them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django import template
from django.utils.translation import gettext as _

from trialwright.core.finding import Finding, mend, says
from trialwright.protocol.document import LabelText
from trialwright.web import words
from trialwright.web.guard import desk
from trialwright.web.summary import IN_ARM, visit_label
from trialwright.web.words import language

register = template.Library()


@register.filter
def told(found: Finding) -> str:
    """What a finding says."""
    return says(found, language())


@register.filter
def mended(found: Finding) -> str:
    """How a finding is mended."""
    return mend(found, language())


@register.filter
def written(text: LabelText) -> str:
    """A label of the protocol in the reader's language."""
    return words.written(text)


@register.filter
def visit(name: str) -> str:
    """A visit as the protocol calls it."""
    return visit_label(desk().protocol(), name)


@register.filter
def stands(status: str) -> str:
    """Where a participant is in the trial, in the reader's language."""
    if status.startswith(IN_ARM):
        return str(_("in arm %(arm)s") % {"arm": status.removeprefix(IN_ARM)})
    return str(_(status))


@register.filter
def plain_words(name: object) -> str:
    """A name of the protocol as words: `not_given` is `not given`."""
    return str(name).replace("_", " ")


@register.filter
def local(at: str) -> str:
    """A moment in UTC as people at the centre read it."""
    moment = datetime.fromisoformat(at.replace("Z", "+00:00")).astimezone(UTC)
    return moment.astimezone(ZoneInfo(desk().protocol().document.zone)).strftime("%Y-%m-%d %H:%M")


@register.filter
def moment(on: object) -> str:
    """A local time as a ledger writes it, for people: a blank in place of the T, and no distance from UTC."""
    return _DISTANCE.sub("", str(on or "")).replace("T", " ")


_DISTANCE = re.compile(r"(?<=\d\d:\d\d)[+-]\d\d:\d\d$")


@register.filter
def thousands(number: object) -> str:
    """A whole number in groups of three, thinly spaced."""
    text = str(number or "")
    return f"{int(text):,}".replace(",", "\u202f") if text.isdecimal() else text


@register.filter
def span(left: timedelta | None) -> str:
    """How long something is, or is overdue: `2 d 4 h`."""
    if left is None:
        return ""
    minutes = abs(int(left.total_seconds() // 60))
    days, hours = minutes // 1440, minutes % 1440 // 60
    text = _("%(days)s d %(hours)s h") if days else _("%(hours)s h %(minutes)s min")
    text %= {"days": days, "hours": hours, "minutes": minutes % 60}
    return str((_("%(span)s overdue") if left < timedelta(0) else _("%(span)s left")) % {"span": text})


@register.filter
def get(mapping: dict[object, object], key: object) -> object:
    """What a mapping holds under a key."""
    return mapping.get(key, "")
