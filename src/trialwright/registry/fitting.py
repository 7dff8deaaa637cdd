"""The part of a study that has the shape it should have: what whoever shows or computes a record may rely on."""

from __future__ import annotations

from typing import Any

from trialwright.registry.record import Json
from trialwright.registry.shape import OBJECTS, WORDS


def fitting(study: dict[str, Json]) -> dict[str, Any]:
    """A copy of the protocol section without what has another kind than API v2 gives it; places in lists stay.

    >>> fitting({"protocolSection": {"conditionsModule": {"conditions": ["Asthma", 5], "keywords": "x"}}})
    {'conditionsModule': {'conditions': ['Asthma', '']}}
    """
    made: dict[str, Any] = _fit(study.get("protocolSection"), "ProtocolSection") or {}
    return made


def _fit(value: Json, kind: str) -> Json:
    """The value where it fits, else None; in a list, an empty one of its kind keeps the place."""
    if kind.startswith("["):
        if not isinstance(value, list):
            return None
        inner = kind[1:-1]
        empty: Json = {} if inner in OBJECTS else ""
        return [empty if (each := _fit(one, inner)) is None else each for one in value]
    if (keys := OBJECTS.get(kind)) is not None:
        if not isinstance(value, dict):
            return None
        fits = {key: _fit(one, keys[key]) for key, one in value.items() if key in keys}
        return {key: one for key, one in fits.items() if one is not None}
    if kind == "yes or no":
        return value if isinstance(value, bool) else None
    if kind in ("count", "number"):
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None
    assert kind in WORDS or kind in ("text", "date", "partial date")
    return value if isinstance(value, str) else None
