"""What every protocol records of an adverse event, in the words of ICH E2A and E2B; a protocol adds its own fields."""

from __future__ import annotations

from typing import Any

from trialwright.protocol.document import Document, ItemPart

#: The kind of record that holds adverse events, in every protocol.
ADVERSE_EVENT = "adverse_event"

#: What makes an event serious (ICH E2A II.B); `serious` itself is the investigator's word.
CRITERIA = ("death", "life_threatening", "hospitalisation", "disability", "congenital_anomaly", "important_event")

#: How far an event is held to be related, least first.
RELATEDNESS = ("unrelated", "unlikely", "possible", "probable", "definite")

SPONSOR = "sponsor"

#: Fields that only this role may enter; the sponsor enters no others.
ROLES = {
    "serious": "investigator",
    "related": "investigator",
    "related_sponsor": "sponsor",
    "expected": "sponsor",
    "sponsor_aware": "sponsor",
    "determined": "sponsor",
}

_FIELDS: dict[str, dict[str, Any]] = {
    "death": {"is": "yes_no", "label": {"en": "Led to death", "zh": "导致死亡"}},
    "life_threatening": {"is": "yes_no", "label": {"en": "Life-threatening", "zh": "危及生命"}},
    "hospitalisation": {
        "is": "yes_no",
        "label": {"en": "Hospitalisation, or its prolongation beyond what was planned", "zh": "住院或计划外延长住院"},
    },
    "disability": {"is": "yes_no", "label": {"en": "Persistent disability", "zh": "永久或严重残疾"}},
    "congenital_anomaly": {"is": "yes_no", "label": {"en": "Congenital anomaly", "zh": "先天性异常"}},
    "important_event": {"is": "yes_no", "label": {"en": "Other important medical event", "zh": "其他重要医学事件"}},
    "grade": {"is": "count", "possible": "1..5", "label": {"en": "Grade", "zh": "分级"}},
    "serious": {"is": "yes_no", "label": {"en": "Serious", "zh": "严重不良事件"}},
    "related": {
        "is": list(RELATEDNESS),
        "label": {"en": "Related to the product or its giving, investigator", "zh": "与产品或给药的相关性（研究者）"},
    },
    "related_sponsor": {
        "is": list(RELATEDNESS),
        "label": {"en": "Related to the product or its giving, sponsor", "zh": "与产品或给药的相关性（申办者）"},
    },
    "expected": {"is": "yes_no", "label": {"en": "Expected by the reference information", "zh": "属于预期"}},
    "outcome": {
        "is": ["recovered", "recovering", "not_recovered", "recovered_with_sequelae", "fatal", "unknown"],
        "label": {"en": "Outcome", "zh": "转归"},
    },
    "ended": {"is": "date", "label": {"en": "Ended on", "zh": "结束日期"}},
    "aware": {"is": "date", "label": {"en": "Investigator aware since", "zh": "研究者获知时间"}},
    "sponsor_aware": {"is": "date", "label": {"en": "Sponsor aware since", "zh": "申办者获知时间"}},
    "determined": {"is": "date", "label": {"en": "Found reportable by the sponsor on", "zh": "申办者判定时间"}},
    "opinion": {"is": "date", "label": {"en": "Opinion of the ethics committee on", "zh": "伦理委员会意见日期"}},
    "handled": {"is": "date", "label": {"en": "Handling ended on", "zh": "处理结束日期"}},
}

FIELDS = {name: ItemPart.model_validate(part) for name, part in _FIELDS.items()}


def with_standard_fields(document: Document, graded_by: dict[str, ItemPart]) -> Document:
    """The document with the standard fields of an adverse event, and what grading asks for, beside its own."""
    declared = document.records.get(ADVERSE_EVENT)
    if declared is None:
        return document
    fields = {**FIELDS, **graded_by, **declared.fields}
    record = declared.model_copy(update={"fields": fields})
    return document.model_copy(update={"records": {**document.records, ADVERSE_EVENT: record}})
