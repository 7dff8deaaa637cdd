"""A coded term: which system, which code, and how that system writes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A term of a terminology: LOINC, SNOMED CT, CDISC."""

    system: str
    code: str
    display: str = ""
