"""The pages on the small trial with a laboratory: a desk, and forms as a browser sends them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.unit.laboratory_desk import laboratory_desk
from trialwright.trial import commands as c
from trialwright.trial.delegations import ROLES
from trialwright.web.desk import Desk

NOW = datetime(2026, 3, 20, 3, 30, tzinfo=UTC)  # half past eleven at the site
GRID = "/participants/P-1/laboratory/oocyte/?parent=cycle-b"


def laboratory(folder: Path) -> Desk:
    """A desk with everybody's delegation."""
    made = laboratory_desk(folder)
    for role in ROLES:
        name = role.replace(" ", "-")
        given = c.Delegate(name, role, "2026-01-01", "GCP", "2026-03-01", "S01")
        made.do(given, role="administrator", at="2026-03-20T02:00:00Z")
    given = c.Delegate("other-site", "coordinator", "2026-01-01", "GCP", "2026-03-01", "S02")
    made.do(given, role="administrator", at="2026-03-20T02:00:00Z")
    return Desk(made.ledger, "test", lambda: NOW)


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's forms."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def text(answer: Any) -> str:
    """What a page says, without its marks."""
    plain = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(
        plain.replace("&quot;", '"').replace("&#x27;", "'").replace("&lt;", "<").replace("&gt;", ">").split()
    )
