"""What stands on every page and figure: whether the data are virtual, and which ledger, protocol and day it is."""

from __future__ import annotations

from trialwright.ledger.store import Header
from trialwright.report.study import Study


def watermark_of(study: Study) -> str:
    """What every figure of a virtual trial says; nothing for a real one."""
    return watermark(study.header)


def watermark(header: Header) -> str:
    """The same of a ledger."""
    if header.kind != "virtual":
        return ""
    return f"Virtual data: rehearsal of {header.trial}, scenario {header.scenario}, seed {header.seed}"


def banner(study: Study) -> str:
    """What stands on every page: that the data are virtual; nothing for a real trial."""
    mark = watermark_of(study)
    return f"{mark}. No woman was treated or observed; no efficacy may be inferred." if mark else ""


def footer(study: Study) -> str:
    """Which ledger, protocol, software and day the report is of."""
    point = study.checkpoint
    return (
        f"{study.header.trial} · protocol {study.cut.protocol.digest[:12]} · trialwright {study.header.software} · "
        f"data cut-off {study.cut.today} · checkpoint {point.seq}:{point.digest[:16]}"
    )
