"""Import of spreadsheets: choose a file, say what its columns are, look at what would happen, and do it or undo it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from pydantic import ValidationError

from trialwright.core.finding import Finding, Refused, finding, text
from trialwright.exchange.csv_sheet import ENCODINGS, SEPARATORS
from trialwright.exchange.import_rows import import_rows
from trialwright.exchange.mapping import ANSWERS, Mapping, digest, faults, from_yaml, proposed, to_yaml
from trialwright.exchange.sheet import MOST_BYTES, MOST_COLUMNS, MOST_ROWS, Reading, Sheet, read_sheet
from trialwright.protocol.protocol import Protocol
from trialwright.trial import commands as c
from trialwright.trial.state import Participant
from trialwright.views.laboratory import laboratory_kinds
from trialwright.web.guard import allowed, desk, sender, within
from trialwright.web.imports import Previewed, carry_out, form_of, preview, refusals, to_void
from trialwright.web.mapping_form import Role, choices, kinds, lines_of, mapping_of, told_of
from trialwright.web.models import Import, SavedMapping, Upload
from trialwright.web.permissions import EMBRYOLOGIST
from trialwright.web.words import label, language

#: How many rows of each kind the preview shows; the counts and the list of refusals are of all.
_SHOWN = 100


# ---------------------------------------------------------------- the file


def upload(request: HttpRequest) -> HttpResponse:
    """Choose a file; the saved mappings, and the imports so far."""
    above: list[Finding] = []
    if request.method == "POST":
        try:
            _take(request)
            return redirect("import_mapping")
        except Refused as refused:
            above = list(refused.findings)
    context = {
        "above": above,
        "mappings": SavedMapping.objects.filter(**_here(request)).order_by("name"),
        "imports": Import.objects.filter(**_here(request)).order_by("-imported")[:50],
        "limits": {"megabytes": MOST_BYTES // 1_000_000, "rows": MOST_ROWS, "columns": MOST_COLUMNS},
        "may_undo": allowed(request, c.VoidEvent),
        "waiting": Upload.objects.filter(account=request.user).first(),
    }
    return render(request, "web/import.html", context)


def _here(request: HttpRequest) -> dict[str, str]:
    """What is seen: of one's own site, or of every site where one acts for all."""
    return {"site": request.acting.site} if request.acting.site else {}


def _take(request: HttpRequest) -> None:
    """Keep the uploaded file, once it could be read; with the mapping that was chosen, or came as a file."""
    file = request.FILES.get("file")
    if file is None:
        raise Refused(finding("import_mapping_incomplete", what="which file is imported"))
    name = _plain_name(file.name)
    if file.size > MOST_BYTES:
        raise Refused(finding("import_too_large", file=name, size=file.size, most=MOST_BYTES))
    content = file.read()
    sheet = read_sheet(name, content)
    mapping, called = _chosen(request)
    told = {
        "name": name,
        "content": content,
        "reading": asdict(sheet.reading) if sheet.reading.sheet else {},
        "mapping": mapping.model_dump() if mapping else {},
        "mapping_name": called,
        "uploaded": desk().now(),
    }
    Upload.objects.update_or_create(account=request.user, defaults=told)


def _chosen(request: HttpRequest) -> tuple[Mapping | None, str]:
    by_file = request.FILES.get("mapping_file")
    if by_file is not None:
        try:
            return from_yaml(by_file.read(100_000).decode("utf-8")), ""
        except UnicodeDecodeError as wrong:
            raise Refused(finding("import_mapping_unreadable", path="The file", why="is no UTF-8 text")) from wrong
    number = request.POST.get("mapping", "")
    if not number.isdecimal():
        return None, ""
    saved = get_object_or_404(SavedMapping, pk=int(number), **_here(request))
    return Mapping.model_validate(saved.content), saved.name


def _plain_name(name: str) -> str:
    """The last part of a file's name, without what no ledger can hold."""
    return "".join(one for one in name.rpartition("/")[2] if one.isprintable())[:120] or "file"


def _waiting(request: HttpRequest) -> tuple[Upload, Sheet] | None:
    """The file that waits to be imported, read as was said; None where there is none."""
    waiting = Upload.objects.filter(account=request.user).first()
    if waiting is None:
        return None
    return waiting, read_sheet(waiting.name, bytes(waiting.content), Reading(**waiting.reading))


def _mapping(waiting: Upload, sheet: Sheet, protocol: Protocol, rows: str) -> Mapping:
    return Mapping.model_validate(waiting.mapping) if waiting.mapping else proposed(protocol, sheet, rows)


# ---------------------------------------------------------------- the mapping


def import_mapping(request: HttpRequest) -> HttpResponse:
    """Say which column fills what; a proposal by the nearest names stands there first."""
    above: list[Finding] = []
    protocol = desk().protocol(request.acting.site)
    only = _only(request, protocol)
    if request.method == "POST" and "do" in request.POST:
        answer, above = _say_mapping(request, protocol)
        if answer is not None:
            return answer
    try:
        found = _waiting(request)
    except Refused as refused:
        Upload.objects.filter(account=request.user).delete()
        messages.error(request, "; ".join(text(one, language()) for one in refused.findings))
        return redirect("import")
    if found is None:
        return redirect("import")
    waiting, sheet = found
    mapping = _mapping(waiting, sheet, protocol, only[0] if only else ANSWERS)
    parent = protocol.vocabulary.records[mapping.rows].parent if mapping.rows in protocol.vocabulary.records else ""
    context = {
        "above": above,
        "waiting": waiting,
        "sheet": sheet,
        "mapping": mapping,
        "lines": lines_of(mapping, sheet, protocol),
        "choices": choices(protocol, mapping.rows),
        "kinds": kinds(protocol, only),
        "roles": _roles(mapping, protocol, parent),
        "encodings": [*ENCODINGS, "utf-16", "cp1252"],
        "separators": SEPARATORS,
    }
    return render(request, "web/import_mapping.html", context)


def _say_mapping(request: HttpRequest, protocol: Protocol) -> tuple[HttpResponse | None, list[Finding]]:
    """Take what was said: how the file is read, what its rows are, or what its columns fill."""
    try:
        found = _waiting(request)
        if found is None:
            return redirect("import"), []
        waiting, sheet = found
        told = {name: str(request.POST[name]) for name in request.POST}
        if told["do"] == "read":
            reading = Reading(told.get("encoding", ""), told.get("separator", ""), told.get("sheet", ""))
            sheet = read_sheet(waiting.name, bytes(waiting.content), reading)
            waiting.reading, waiting.mapping = asdict(reading), {}
            waiting.save()
            return redirect("import_mapping"), []
        mapping = mapping_of(told, sheet)
        if told["do"] == "rows" and mapping.rows in {one for one, _label in kinds(protocol, _only(request, protocol))}:
            mapping = proposed(protocol, sheet, mapping.rows)
    except (Refused, ValidationError) as wrong:
        why = list(wrong.findings) if isinstance(wrong, Refused) else [_unreadable(wrong)]
        return None, why
    waiting.mapping, waiting.mapping_name = mapping.model_dump(), told.get("name", "").strip()[:100]
    waiting.save()
    if told["do"] != "preview":
        return redirect("import_mapping"), []
    above = faults(mapping, protocol, sheet)
    if above:
        return None, above
    if waiting.mapping_name:
        SavedMapping.objects.update_or_create(
            site=request.acting.site,
            name=waiting.mapping_name,
            defaults={"content": mapping.model_dump(), "saved_by": request.user.username, "saved": desk().now()},
        )
    return redirect("import_preview"), []


def _unreadable(wrong: ValidationError) -> Finding:
    first = wrong.errors(include_url=False)[0]
    return finding("import_mapping_unreadable", path=".".join(map(str, first["loc"])), why=first["msg"])


def _only(request: HttpRequest, protocol: Protocol) -> list[str] | None:
    """The kinds that the one who asks imports: of an embryologist those of the laboratory; of others every one."""
    return laboratory_kinds(protocol) if request.acting.role == EMBRYOLOGIST else None


def _roles(mapping: Mapping, protocol: Protocol, parent: str) -> list[Role]:
    roles = [
        Role("participant", _("Participant"), mapping.participant, _("her pseudonym, never a name")),
        Role("day", _("Day"), mapping.day, _("when it happened, as 2026-03-02 or 2026/3/2")),
    ]
    if mapping.rows in protocol.document.records:
        if parent:
            says = _("its name, or its number in the order of dates")
            roles.append(Role("parent", label(protocol, parent), mapping.parent, says))
        roles.append(Role("number", _("Number"), mapping.number, _("the row of the grid; none where each row is new")))
    return roles


def import_saved(request: HttpRequest, number: int) -> HttpResponse:
    """A saved mapping as a YAML file."""
    saved = get_object_or_404(SavedMapping, pk=number, **_here(request))
    answer = HttpResponse(
        to_yaml(Mapping.model_validate(saved.content)), content_type="application/yaml; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="mapping-{number}.yaml"'
    return answer


# ---------------------------------------------------------------- preview and import


def import_preview(request: HttpRequest) -> HttpResponse:
    """What each row would become and what the gate says of it; then the import, all rows or the accepted ones."""
    found = _looked_at(request)
    if found is None:
        return redirect("import_mapping")
    waiting, sheet, mapping, seen = found
    protocol = desk().protocol(request.acting.site)
    counts, above = Counter(one.standing for one in seen), list[Finding]()
    said = f"{sheet.digest} {digest(mapping)}"
    if request.method == "POST":
        every = request.POST.get("which") == "all"
        if request.POST.get("said") != said:
            above = [finding("import_changed")]
        elif every and counts["refused"]:
            above = [finding("import_some_refused", count=counts["refused"], file=sheet.name)]
        elif not counts["accepted"]:
            above = [finding("import_nothing", file=sheet.name)]
        else:
            try:
                _import(request, waiting, sheet, mapping, seen)
                return redirect("import")
            except Refused as refused:  # something changed between the preview and now
                above = list(refused.findings)
    context = {
        "above": above,
        "waiting": waiting,
        "sheet": sheet,
        "counts": {name: counts[name] for name in ("accepted", "refused", "known")},
        "asked": sum(1 for one in seen if one.asked),
        "groups": [
            (
                name,
                [(one, told_of(protocol, mapping.rows, one.row.told)) for one in seen if one.standing == name][:_SHOWN],
                counts[name],
            )
            for name in ("refused", "accepted", "known")
            if counts[name]
        ],
        "said": said,
        "shown": _SHOWN,
    }
    return render(request, "web/import_preview.html", context)


def import_refused(request: HttpRequest) -> HttpResponse:
    """The refused rows as a CSV file."""
    found = _looked_at(request)
    if found is None:
        return redirect("import_mapping")
    answer = HttpResponse(refusals(found[3]), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="refused-rows.csv"'
    return answer


def _looked_at(request: HttpRequest) -> tuple[Upload, Sheet, Mapping, list[Previewed]] | None:
    """The waiting file, its mapping, and every row as the gate would take it; None where something is missing."""
    protocol = desk().protocol(request.acting.site)
    try:
        found = _waiting(request)
    except Refused:
        return None
    if found is None or not found[0].mapping:
        return None
    waiting, sheet = found
    mapping = Mapping.model_validate(waiting.mapping)
    only = _only(request, protocol)
    if faults(mapping, protocol, sheet) or (only is not None and mapping.rows not in only):
        return None
    rows = import_rows(mapping, sheet, protocol, request.acting.site, lambda who: _hers(request, who))
    return waiting, sheet, mapping, preview(desk(), rows, sender(request), lambda command: allowed(request, command))


def _hers(request: HttpRequest, identity: str) -> Participant | None:
    return desk().participant(identity) if within(request, desk().trial().sites.get(identity)) else None


def _import(request: HttpRequest, waiting: Upload, sheet: Sheet, mapping: Mapping, seen: list[Previewed]) -> None:
    """Import the accepted rows; told where the file was imported before."""
    keep = request.POST.get("keep") == "yes"
    undone = Import.objects.filter(digest=sheet.digest, undone__isnull=False).count()
    form, by = form_of(sheet, mapping, undone), sender(request)
    events = carry_out(desk(), sheet, form, seen, by, bytes(waiting.content) if keep else b"")
    accepted = sum(1 for one in seen if one.standing == "accepted")
    waiting.delete()
    if not events:
        messages.info(request, _("%(file)s was imported before; nothing was recorded twice.") % {"file": sheet.name})
        return
    Import.objects.create(
        site=request.acting.site,
        file=sheet.name,
        digest=sheet.digest,
        mapping=waiting.mapping_name,
        form=form,
        first=events[0].seq,
        last=events[-1].seq,
        rows=accepted,
        kept=keep,
        imported_by=by.user,
        imported=desk().now(),
    )
    told = {"rows": accepted, "file": sheet.name, "events": len(events)}
    messages.success(request, _("%(rows)s rows of %(file)s were imported, as %(events)s entries.") % told)


# ---------------------------------------------------------------- undo


def import_undo(request: HttpRequest, number: int) -> HttpResponse:
    """Take back everything that an import wrote, with a reason."""
    done = get_object_or_404(Import, pk=number, **_here(request))
    if not allowed(request, c.VoidEvent):
        raise Http404
    above: list[Finding] = []
    reason = request.POST.get("reason", "").strip()
    if request.method == "POST":
        above = _undo(request, done, reason)
        if not above:
            messages.success(request, _("The import of %(file)s was undone.") % {"file": done.file})
            return redirect("import")
    return render(request, "web/import_undo.html", {"done": done, "above": above, "reason": reason})


def _undo(request: HttpRequest, done: Import, reason: str) -> list[Finding]:
    if done.undone is not None:
        return [finding("import_undone", file=done.file)]
    if not reason:
        return [finding("reason_missing", what=_("Undoing an import"))]
    says = f"import of {done.file} undone: {reason}"
    commands, found = to_void(desk(), done.first, done.last, done.form, says)
    if found:
        return found
    try:
        desk().submit(commands, sender(request), f"undo of {done.form}")
    except Refused as refused:
        return list(refused.findings)
    done.undone = desk().now()
    done.save()
    return []
