"""The board's figures as JSON: those of both parts, so that it is for the board alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from math import isfinite
from typing import Any

from trialwright.report.board import Board, arm_name, first_product_day, news, serious_counts
from trialwright.report.board_counts import adherences, exposures, failures, pace, pooled_events, quality
from trialwright.report.board_questions import boundary_sentence, questions, status
from trialwright.statistics.boundary import pause_ranges
from trialwright.views.cutoff import ALL
from trialwright.views.pregnancies import ChildRow, side_by_side

#: What tells which arm a child's mother was in.
_TELLING = ("units", "lots", "donors", "events")


def board_json(board: Board) -> str:
    """The text of `board.json`: keys in a fixed order; an arm under the name that the board sees."""
    return json.dumps(_plain(board, board_data(board)), ensure_ascii=False, indent=2) + "\n"


def board_data(board: Board) -> dict[str, Any]:
    """Both parts as plain data and rows of views."""
    study, document = board.study, board.cut.protocol.document
    return {
        "virtual": study.header.kind == "virtual",
        "trial": document.trial,
        "protocol": {"version": document.version, "digest": board.cut.protocol.digest},
        "cut_off": board.cut.today,
        "checkpoint": {"seq": study.checkpoint.seq, "digest": study.checkpoint.digest},
        "since": {"day": board.since, "from": board.since_from, "after_event": board.after},
        "masking": document.design.masking,
        "open": {
            "status": status(board),
            "news": [{"what": what, "new": new, "all": in_all} for what, new, in_all in news(board)],
            "enrolment": pace(board),
            "screening_failures": dict(study.flow.criteria),
            "other_reasons": dict(study.flow.other_reasons),
            "alerts": board.alerts,
            "pauses": board.pauses,
            "pause_at": pause_ranges(board.pause_at),
            "characteristics": [
                {"rate": one.rate, "pauses": one.pauses, "expected_n": one.expected_n}
                for one in (board.boundary.characteristics if board.boundary else ())
            ],
            "quality": quality(board),
            "adverse_events": pooled_events(board),
            "products": [
                {
                    "product": one.product,
                    "tally": one.tally,
                    "units_given": sum(row.given for row in one.units),
                    "units": len(one.units),
                    "failures": failures(board, one.product),
                }
                for one in board.products
            ],
        },
        "closed": {
            "questions": questions(board),
            "recommendation": None,
            "serious_counts": serious_counts(board),
            "boundary": _boundary(board),
            "serious_events": [
                {**_fields(row), "day_from_first_product": first_product_day(board, row)} for row in board.serious
            ],
            "adverse_events": board.counts,
            "exposure": exposures(board),
            "infusions": board.infusions,
            "outstanding": [row for one in board.products for row in one.outstanding],
            "recalled": [{"lot": lot, "recipients": given} for lot, given in board.recalled],
            "pregnancies": {
                arm_name(board, arm): side_by_side([row for row in board.transfers if arm in (ALL, row.arm)])
                for arm in board.arms
            },
            "children": [_child(board, row) for row in board.children],
            "baseline": study.analysis.baseline,
            "adherence": adherences(board),
        },
    }


def _boundary(board: Board) -> dict[str, Any] | None:
    told = board.boundary
    if told is None:
        return None
    return {
        "says": boundary_sentence(board),
        "p0": told.p0,
        "threshold": told.threshold,
        "steps": told.steps,
        "counted": told.counted,
    }


def _child(board: Board, row: ChildRow) -> dict[str, Any]:
    """A child; without what its mother was given where that would tell the arm."""
    return {name: value for name, value in _fields(row).items() if not (board.codes and name in _TELLING)}


def _fields(row: Any) -> dict[str, Any]:
    return {one.name: getattr(row, one.name) for one in fields(row)}


def _plain(board: Board, value: Any, key: str = "") -> Any:
    """Without types of ours; `arm` and the keys of `by_arm` are what the board may see, endless limits are null."""
    if is_dataclass(value) and not isinstance(value, type):
        value = _fields(value)
    match value:
        case Mapping():
            return {
                arm_name(board, name) if key == "by_arm" else str(name): _plain(board, inner, str(name))
                for name, inner in value.items()
            }
        case list() | tuple():
            return [_plain(board, inner) for inner in value]
        case Enum():
            return value.value
        case str():
            return arm_name(board, value) if key == "arm" else value
        case date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case float() | Decimal() | Fraction():
            return _number(float(value))
    return value


def _number(value: float) -> int | float | None:
    """To ten digits; null where there is no end."""
    if not isfinite(value):
        return None
    return int(value) if value.is_integer() else float(f"{value:.10g}")
