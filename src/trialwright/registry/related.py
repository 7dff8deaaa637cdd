"""The nearest trials of a library, each with the reason: condition, intervention, population, outcome in common."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import tantivy

from trialwright.registry.library_entry import FACETS, Entry, entry_in, facet_texts, key_of
from trialwright.registry.library_folder import analyzer, schema
from trialwright.registry.values import in_years

Facet: TypeAlias = Literal["condition", "intervention", "population", "outcome"]

#: How many candidates the index proposes, and of how many words of each facet it is asked.
_CANDIDATES = 40
_WORDS = {"condition": 14, "intervention": 14, "outcome": 12, "about": 10, "population": 6}
_BOOST = {"condition": 3.0, "intervention": 2.5, "outcome": 1.0, "about": 1.5, "population": 0.4}
_WEIGHT: dict[Facet, float] = {"condition": 0.4, "intervention": 0.3, "outcome": 0.15, "population": 0.15}
_WORDED: tuple[Facet, ...] = ("condition", "intervention", "outcome")
_ROUGH = ("condition", "intervention", "outcome", "about")
#: From this share of words in common two records are one trial twice.
NEAR_DUPLICATE = 0.85
#: A facet in common below this share is no reason.
_REASON = 0.15


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a trial is near: the facet, how much of it is shared (0 to 1), and what, in the other record's words."""

    facet: Facet
    share: float
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """A trial near to the one asked about; `score` from 0 to 1, reasons with the weightiest first."""

    entry: Entry
    score: float
    reasons: tuple[Reason, ...]
    near_duplicate: bool


def related(index: tantivy.Index, entry: Entry, most: int = 10) -> list[Near]:
    """The nearest trials, nearest first; the trial itself is left out. A population in common alone is no reason."""
    searcher = index.searcher()
    terms = _terms(entry)
    weights = {
        (facet, term): math.log(1 + searcher.num_docs / (1 + searcher.doc_freq(facet, term)))
        for facet, words in terms.items()
        for term in words
    }
    query = _query(terms, weights)
    if query is None:
        return []
    rough = []
    asked = key_of(entry)
    for _, address in searcher.search(query, _CANDIDATES + 1).hits:
        other = _entry(searcher.doc(address))
        if key_of(other) != asked:
            theirs = _terms(other, _ROUGH)
            shares = sum(_WEIGHT[facet] * _share(terms[facet], theirs[facet], facet, weights) for facet in _WORDED)
            rough.append((shares, other, theirs))
    rough.sort(key=lambda one: (-one[0], key_of(one[1])))
    found = [_near(entry, terms, other, theirs, weights) for _, other, theirs in rough[: 2 * most]]
    found.sort(key=lambda one: (-one.score, key_of(one.entry)))
    near = [one for one in found if one.near_duplicate or any(why.facet != "population" for why in one.reasons)]
    return near[:most]


def entry_at(index: tantivy.Index, key: str) -> Entry | None:
    """The record of a registry number, or of what stands for it, in the library; None where it is not there."""
    searcher = index.searcher()
    hits = searcher.search(tantivy.Query.term_query(schema(), "key", key), 1).hits
    return _entry(searcher.doc(hits[0][1])) if hits else None


def _entry(document: Any) -> Entry:
    return entry_in(bytes(document.get_first("entry")))


def _terms(entry: Entry, facets: Sequence[str] = FACETS) -> dict[str, list[str]]:
    texts = facet_texts(entry)
    return {facet: list(dict.fromkeys(analyzer().analyze(texts[facet]))) for facet in facets}


def _query(terms: dict[str, list[str]], weights: dict[tuple[str, str], float]) -> tantivy.Query | None:
    """Any of the rarest words of each facet."""
    known = schema()
    parts = []
    for facet in FACETS:
        rarest = sorted(terms[facet], key=lambda term: -weights[facet, term])[: _WORDS[facet]]
        for term in rarest:
            parts.append(
                (
                    tantivy.Occur.Should,
                    tantivy.Query.boost_query(tantivy.Query.term_query(known, facet, term), _BOOST[facet]),
                )
            )
    return tantivy.Query.boolean_query(parts) if parts else None


def _near(
    entry: Entry,
    terms: dict[str, list[str]],
    other: Entry,
    theirs: dict[str, list[str]],
    weights: dict[tuple[str, str], float],
) -> Near:
    named: dict[Facet, tuple[str, ...]] = {
        "condition": (*other.conditions, *other.keywords),
        "intervention": other.interventions,
        "outcome": other.outcomes,
    }
    reasons = [
        Reason(facet, _share(terms[facet], theirs[facet], facet, weights), _named(names, set(terms[facet])))
        for facet, names in named.items()
    ]
    criteria = _terms(other, ["population"])["population"]
    reasons.append(_population(entry, other, _share(terms["population"], criteria, "population", weights)))
    score = sum(_WEIGHT[one.facet] * one.share for one in reasons)
    kept = [one for one in reasons if one.share >= _REASON and one.shared]
    kept.sort(key=lambda one: -_WEIGHT[one.facet] * one.share)
    mine, others = _all(terms), _all(theirs)
    alike = len(mine & others) / len(mine | others) if mine | others else 0.0
    return Near(other, round(score, 3), tuple(kept), alike >= NEAR_DUPLICATE)


def _all(terms: dict[str, list[str]]) -> set[str]:
    return {term for facet in _ROUGH for term in terms[facet]}


def _share(mine: Sequence[str], theirs: Iterable[str], facet: str, weights: dict[tuple[str, str], float]) -> float:
    """How much of the words of one record another has, rare words counting more."""
    others = set(theirs)
    whole = sum(weights[facet, term] for term in mine)
    return round(sum(weights[facet, term] for term in mine if term in others) / whole, 3) if whole else 0.0


def _named(names: Iterable[str], terms: set[str]) -> tuple[str, ...]:
    """The names of the other record with a word in common, the most in common first."""
    words = analyzer()
    told = {}
    for name in names:
        theirs = words.analyze(name)
        told[name] = len(terms.intersection(theirs)) / (1 + len(theirs))
    return tuple(sorted((name for name, share in told.items() if share), key=lambda name: -told[name])[:4])


def _population(entry: Entry, other: Entry, words: float) -> Reason:
    """Sex, the years of age in common, and words of the criteria in common."""
    shared = []
    share = 0.4 * words
    if entry.sex and entry.sex == other.sex:
        shared.append({"FEMALE": "women", "MALE": "men"}.get(entry.sex, "both sexes"))
        share += 0.3 if entry.sex != "ALL" else 0.1
    mine, theirs = _ages(entry), _ages(other)
    common = min(mine[1], theirs[1]) - max(mine[0], theirs[0])
    if common > 0 and (entry.minimum or entry.maximum) and (other.minimum or other.maximum):
        low, high = max(mine[0], theirs[0]), min(mine[1], theirs[1])
        shared.append(f"{low:g} to {high:g} years" if high < _OLDEST else f"from {low:g} years")
        share += 0.3 * common / (max(mine[1], theirs[1]) - min(mine[0], theirs[0]))
    if words >= _REASON:
        shared.append("words of the criteria")
    return Reason("population", round(min(share, 1.0), 3), tuple(shared))


_OLDEST = 110.0


def _ages(entry: Entry) -> tuple[float, float]:
    """The ages that may take part, in years; where the record says none, all of them."""
    low, high = in_years(entry.minimum), in_years(entry.maximum)
    return 0.0 if low is None else low, _OLDEST if high is None else high
