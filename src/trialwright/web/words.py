"""Words in the language of the one who reads: labels of the protocol, and what a finding says."""

from __future__ import annotations

from django.utils.translation import get_language

from trialwright.protocol import protocol as protocols
from trialwright.protocol.document import LabelText
from trialwright.protocol.protocol import Protocol


def language() -> str:
    """The language of this request as the protocol and the catalogue of findings call it: `en` or `zh`."""
    return "zh" if str(get_language() or "").startswith("zh") else "en"


def label(protocol: Protocol, name: str) -> str:
    """How the protocol calls an item, a record, a visit, an arm or an endpoint, in the reader's language."""
    return protocols.label(protocol, name, language())


def written(text: LabelText) -> str:
    """A label in the reader's language, or in English where it has none there."""
    return (text.zh if language() == "zh" and text.zh else text.en) or ""
