"""The protocol to read: the record's words beside what executes them, sentence by sentence too, and its versions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from trialwright.ledger.envelope import Event
from trialwright.protocol.coverage import ORDER, Sentence, coverage
from trialwright.protocol.diff import changes, file_difference
from trialwright.protocol.protocol import Protocol
from trialwright.protocol.reading import Chapter, Clause, chapters
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.office import in_force
from trialwright.trial.state import TrialState
from trialwright.web.guard import allowed, desk
from trialwright.web.pages.order import link_to


@dataclass(slots=True)
class Version:
    """A protocol version in the ledger: when it came, and where and by which approval it was activated."""

    digest: str
    version: str
    event: Event
    files: dict[str, str]
    activations: list[Event] = field(default_factory=list)
    now_at: list[str] = field(default_factory=list)
    offers: list[tuple[str, str]] = field(default_factory=list)  # a site, and where it is activated there


def protocol(request: HttpRequest) -> HttpResponse:
    """Every part with the record's words on the left and what executes them on the right."""
    chosen = _chosen(request)
    wanted = request.GET.get("q", "").strip()
    whole = _chapters(chosen.digest)
    found = [
        Chapter(one.name, one.title, tuple(each for each in one.clauses if _holds(each, wanted.lower())))
        for one in whole
    ]
    context = {
        "chapters": [one for one in found if one.clauses],
        "wanted": wanted,
        "document": chosen.document,
        "digest": chosen.digest,
        "silent": chosen.document.assumptions,
        "given": desk().trial().answers,
    }
    return render(request, "web/protocol_parts.html" if request.htmx else "web/protocol.html", context)


def record(request: HttpRequest) -> HttpResponse:
    """Every sentence of the registry record, and what becomes of it."""
    chosen = _chosen(request)
    sentences = _sentences(chosen.digest)
    counts = Counter(one.account for one in sentences)
    show, wanted = request.GET.get("show", ""), request.GET.get("q", "").strip()
    anchors = {each.path for chapter in _chapters(chosen.digest) for each in chapter.clauses}
    rows = [
        (one, [(path, _anchor(path, anchors)) for path in one.by])
        for one in sentences
        if (one.account == show if show else one.account != "furniture") and wanted.lower() in one.text.lower()
    ]
    context = {
        "rows": rows,
        "wanted": wanted,
        "show": show,
        "filters": [("", "content", len(sentences) - counts["furniture"])]
        + [(name, name, counts[name]) for name in ORDER if counts[name] or name == "dropped"],
        "document": chosen.document,
        "digest": chosen.digest,
    }
    return render(request, "web/record_rows.html" if request.htmx else "web/record.html", context)


def versions(request: HttpRequest) -> HttpResponse:
    """Every version with its activations, and what differs between two of them."""
    state = desk().trial()
    found = _versions(request, state)
    known = {one.digest: one for one in found}
    old, new = (known.get(request.GET.get(name, "")) for name in ("old", "new"))
    if len(found) > 1 and not (old and new):
        old, new = found[-2], found[-1]
    context: dict[str, object] = {"versions": found, "old": old, "new": new}
    if old and new:
        before, after = desk().version(old.digest), desk().version(new.digest)
        context |= {"changes": changes(before, after), "lines": file_difference(before, after)}
    return render(request, "web/versions.html", context)


def _chosen(request: HttpRequest) -> Protocol:
    """The version that was asked for, else the one in force."""
    state = desk().trial()
    digest = request.GET.get("version") or in_force(state, request.acting.site)
    if digest not in state.protocols:
        raise Http404
    return desk().version(digest)


@lru_cache(maxsize=8)
def _chapters(digest: str) -> list[Chapter]:
    return chapters(desk().version(digest))


@lru_cache(maxsize=8)
def _sentences(digest: str) -> list[Sentence]:
    return coverage(desk().version(digest))[0]


def _holds(clause: Clause, wanted: str) -> bool:
    told = (clause.name, clause.title, *clause.quotes, *clause.assumes)
    lines = (f"{line.of} {line.text} {line.words}" for line in clause.lines)
    return not wanted or wanted in " ".join((*told, *lines)).lower()


def _anchor(path: str, anchors: set[str]) -> str:
    """The clause that a path lies in; nothing where no clause shows it."""
    while path and path not in anchors:
        path = path.rpartition(".")[0]
    return path


def _versions(request: HttpRequest, state: TrialState) -> list[Version]:
    """The versions in the order in which they came."""
    found: dict[str, Version] = {}
    for event in desk().ledger.events(stream=e.TRIAL, types=[e.PROTOCOL_REGISTERED, e.PROTOCOL_ACTIVATED]):
        digest = str(event.payload.get("digest"))
        if event.type == e.PROTOCOL_REGISTERED:
            files = event.payload.get("files")
            held = {str(name): str(blob) for name, blob in files.items()} if isinstance(files, dict) else {}
            found[digest] = Version(digest, str(event.payload.get("version", "")), event, held)
        elif digest in found:
            found[digest].activations.append(event)
    for one in found.values():
        one.now_at = [site for site, digest in state.active.items() if digest == one.digest]
        if allowed(request, c.ActivateProtocol):
            one.offers = [
                (site, link_to("activate-protocol", site=site, digest=one.digest, back="/trial/versions"))
                for site in desk().version(one.digest).document.sites
                if site not in one.now_at and request.acting.site in ("", site)
            ]
    return list(found.values())
