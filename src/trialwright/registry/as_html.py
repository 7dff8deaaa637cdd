"""A record as one HTML page: what a registry shows, with every doubt beside what it concerns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from markupsafe import Markup

from trialwright.core.finding import Grade, mend, says
from trialwright.registry.criteria_lines import Item, items
from trialwright.registry.record import Json, Record
from trialwright.registry.sheet import MISSING, Sheet, paragraphs, readable, words_of
from trialwright.render.page import Section, page
from trialwright.render.table import Column, table

#: What can be computed of a criterion, as HTML to stand below its words; None where nothing is to be said.
Computable = Callable[[Item], Markup | None]

#: Sites, lines of criteria, arms and interventions that are shown; a table with more columns is not read.
_MOST_SITES, _MOST_ITEMS, _MOST_ARMS, _MOST_COLUMNS = 60, 1000, 100, 20
_SIDES = {"inclusion": "Inclusion", "exclusion": "Exclusion", "": "Criteria that no heading tells apart"}


def record_html(
    record: Record, computable: Computable | None = None, more: Sequence[Section] = (), language: str = "en"
) -> str:
    """The page of a record, self-contained; text of the record is escaped.

    `computable` adds a line below each criterion; `more` are sections (related trials, say) that stand before the
    list of findings; `language` is that of the findings.
    """
    sheet = Sheet(record, language)
    sections = [
        Section("snapshot", "Snapshot", _snapshot(sheet)),
        Section("summary", "Summary", _summary(sheet)),
        Section("arms", "Arms and interventions", _arms(sheet)),
        Section("eligibility", "Who can take part", _eligibility(sheet, computable)),
        Section("outcomes", "Outcomes", _outcomes(sheet)),
        Section("sites", "Sites", _sites(sheet)),
        Section("identifiers", "Identifiers and sponsors", _identifiers(sheet)),
        *more,
        Section("findings", "Findings", _findings(sheet)),
    ]
    number = sheet.text("identificationModule/nctId")
    title = sheet.text("identificationModule/briefTitle") or record.name or "A registry record"
    return page(f"{number}: {title}" if number else title, sections, _banner(record), _footer(record))


def _banner(record: Record) -> str:
    warnings = sum(one.grade is not Grade.NOTE for one in record.findings)
    lost = [one for one in record.findings if one.code in ("record_list_starts", "record_list_gap")]
    told = [f"{warnings} warning{'s' if warnings != 1 else ''} beside what they concern"] if warnings else []
    if lost:
        told.insert(0, "Criteria are missing in this copy of the record")
    if record.form == "page":
        told.append("read from a saved page, not from the registry")
    return f"{'; '.join(told)}." if told else ""


def _footer(record: Record) -> str:
    return f"Read from {record.name or 'a record'}. Registry data: credit the registry that published it."


# ---------------------------------------------------------------- sections


def _snapshot(sheet: Sheet) -> Markup:
    status, phases = sheet.text("statusModule/overallStatus"), sheet.get("designModule/phases") or []
    count = sheet.get("designModule/enrollmentInfo/count")
    kind = sheet.text("designModule/enrollmentInfo/type").lower()
    cards = [
        ("Status", sheet.value("statusModule/overallStatus", words_of(status) if status else "")),
        ("Phase", sheet.value("designModule/phases", " / ".join(map(words_of, phases)))),
        (
            "Enrolment",
            sheet.value("designModule/enrollmentInfo/count", f"{count} {kind}".strip() if count is not None else ""),
        ),
        ("Start", _date(sheet, "startDateStruct")),
        ("Completion", _date(sheet, "completionDateStruct")),
        ("Lead sponsor", sheet.value("sponsorCollaboratorsModule/leadSponsor/name")),
    ]
    strip = Markup("").join(Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(*card) for card in cards)
    info = "designModule/designInfo"
    design = [
        ("Study type", "designModule/studyType"),
        ("Allocation", f"{info}/allocation"),
        ("Intervention model", f"{info}/interventionModel"),
        ("Primary purpose", f"{info}/primaryPurpose"),
        ("Masking", f"{info}/maskingInfo/masking"),
    ]
    if sheet.get("designModule/studyType") == "OBSERVATIONAL":
        design = [design[0], ("Model", f"{info}/observationalModel"), ("Time perspective", f"{info}/timePerspective")]
    rows = [(name, sheet.value(path, words_of(sheet.text(path)) if sheet.text(path) else "")) for name, path in design]
    rows.append(("Primary completion", _date(sheet, "primaryCompletionDateStruct")))
    rows.append(("Last update", _date(sheet, "lastUpdatePostDateStruct")))
    for name, path in (("Conditions", "conditionsModule/conditions"), ("Keywords", "conditionsModule/keywords")):
        names = sheet.get(path)
        if names or name == "Conditions":
            shown = Markup("").join(
                Markup('<span class="chip">{}</span>').format(readable(str(each))) for each in names or []
            )
            rows.append((name, Markup("{}{}").format(shown or MISSING, sheet.doubts(path))))
    return Markup('<dl class="strip">{}</dl>\n{}').format(strip, _facts(rows))


def _date(sheet: Sheet, key: str) -> Markup:
    path = f"statusModule/{key}"
    kind = sheet.text(f"{path}/type").lower()
    date = sheet.text(f"{path}/date")
    return sheet.value(f"{path}/date", f"{date} ({kind})" if kind and date else date)


def _facts(rows: Iterable[tuple[str, Markup]]) -> Markup:
    inner = Markup("").join(Markup("<dt>{}</dt><dd>{}</dd>\n").format(*row) for row in rows)
    return Markup('<dl class="facts">\n{}</dl>\n').format(inner)


def _summary(sheet: Sheet) -> Markup:
    made = Markup("")
    official = sheet.text("identificationModule/officialTitle")
    if official:
        made += Markup('<p class="lead">{}</p>\n').format(official)
    brief, detail = "descriptionModule/briefSummary", "descriptionModule/detailedDescription"
    made += paragraphs(sheet.get(brief)) if sheet.text(brief) else Markup("<p>{}</p>").format(MISSING)
    made += sheet.doubts(brief)
    if sheet.text(detail):
        words = len(sheet.text(detail).split())
        made += Markup("<details{}><summary>Detailed description, {} words</summary>\n{}{}</details>\n").format(
            Markup(" open") if words <= 250 else "", words, paragraphs(sheet.get(detail)), sheet.doubts(detail)
        )
    return made


def _arms(sheet: Sheet) -> Markup:
    """Arms against interventions, then what each intervention is."""
    module = "armsInterventionsModule"
    arms, given = sheet.get(f"{module}/armGroups") or [], sheet.get(f"{module}/interventions") or []
    if not arms and not given:
        return Markup("<p>{}</p>").format(MISSING)
    arms, given = arms[:_MOST_ARMS], given[:_MOST_ARMS]
    linked = len(given) <= _MOST_COLUMNS and any(arm.get("interventionNames") for arm in arms)
    made = Markup("")
    if arms:
        columns = [
            Column("arm", "Arm"),
            *(Column(f"i{n}", _head(n, given), "center") for n in range(len(given) if linked else 0)),
        ]
        rows = [_arm_row(sheet, f"{module}/armGroups/{place}", arm, given) for place, arm in enumerate(arms)]
        notes = (
            [f"{n + 1}: {one.get('name', '')}" for n, one in enumerate(given)] if linked and not _brief(given) else []
        )
        made += Markup(table(columns, rows, "What each arm receives", notes))
    for place, one in enumerate(given):
        path = f"{module}/interventions/{place}"
        kind = words_of(one["type"]) if one.get("type") else "type not in the record"
        other = f"Also: {', '.join(one['otherNames'])}." if one.get("otherNames") else ""
        made += Markup('<h3>{}. {} <span class="kind">{}</span></h3>\n{}{}{}').format(
            place + 1, readable(one.get("name", "")), kind, paragraphs(one.get("description", "")),
            Markup("<p>{}</p>").format(readable(other)) if other else "", sheet.doubts(path),
        )  # fmt: skip
    return made


def _brief(given: Sequence[Json]) -> bool:
    """Whether the names are short and few enough to head the columns themselves."""
    return len(given) <= 5 and all(len(one.get("name", "")) <= 24 for one in given)


def _head(place: int, given: Sequence[Json]) -> str:
    return str(given[place].get("name", "")) if _brief(given) else str(place + 1)


def _arm_row(sheet: Sheet, path: str, arm: Json, given: Sequence[Json]) -> dict[str, Markup]:
    named = {name.partition(": ")[2] or name for name in arm.get("interventionNames", [])} | set(
        arm.get("interventionNames", [])
    )
    kind = words_of(arm["type"]) if arm.get("type") else ""
    row = {
        "arm": Markup('<strong>{}</strong> <span class="kind">{}</span>{}{}').format(
            readable(arm.get("label", "")), kind, paragraphs(arm.get("description", "")), sheet.doubts(path)
        )
    }
    for place, one in enumerate(given if len(given) <= _MOST_COLUMNS else ()):
        given_here = one.get("name") in named or arm.get("label") in one.get("armGroupLabels", [])
        row[f"i{place}"] = (
            Markup('<span class="dot" title="{}">●</span>').format(one.get("name", "")) if given_here else Markup("–")
        )
    return row


def _eligibility(sheet: Sheet, computable: Computable | None) -> Markup:
    module = "eligibilityModule"
    low, high = sheet.text(f"{module}/minimumAge"), sheet.text(f"{module}/maximumAge")
    healthy, sex = sheet.get(f"{module}/healthyVolunteers"), sheet.text(f"{module}/sex")
    ages = f"{low or 'no minimum'} to {high or 'no maximum'}" if low or high else ""
    rows = [
        ("Sex", sheet.value(f"{module}/sex", words_of(sex) if sex else "")),
        ("Age", sheet.value(f"{module}/minimumAge", ages) + sheet.doubts(f"{module}/maximumAge")),
        ("Healthy volunteers", sheet.value(f"{module}/healthyVolunteers", {True: "Yes", False: "No"}.get(healthy, ""))),
    ]
    made = _facts(rows)
    text = sheet.get(f"{module}/eligibilityCriteria")
    if not isinstance(text, str):
        return made + Markup("<p>Criteria: {}</p>").format(MISSING)
    made += sheet.doubts(f"{module}/eligibilityCriteria")
    printed = items(text)
    for side, group in groupby(printed[:_MOST_ITEMS], key=lambda item: item.side):
        made += _criteria(side, list(group), computable)
    if len(printed) > _MOST_ITEMS:
        made += Markup("<p>{} more lines are in the record.</p>").format(len(printed) - _MOST_ITEMS)
    return made


def _criteria(side: str, group: list[Item], computable: Computable | None) -> Markup:
    """A list with the record's own numbers; a number that is missing has a line of its own."""
    lines = Markup("")
    following = 1
    for place, item in enumerate(group, 1):
        for lost in range(following, item.number) if item.number - following < 20 else ():
            lines += Markup('<li class="lost" value="{}">lost in this copy of the record</li>\n').format(lost)
        number = item.number or (place if following == place else following)
        beside = computable(item) if computable else None
        lines += Markup('<li value="{}">{}{}</li>\n').format(number, readable(item.words), beside or "")
        following = number + 1
    return Markup('<h3>{}</h3>\n<ol class="criteria {}">\n{}</ol>\n').format(_SIDES[side], side, lines)


def _outcomes(sheet: Sheet) -> Markup:
    columns = [Column("measure", "Measure"), Column("time", "Time frame"), Column("text", "Description")]
    made = Markup("")
    for key, rank in (("primaryOutcomes", "Primary"), ("secondaryOutcomes", "Secondary"), ("otherOutcomes", "Other")):
        several = sheet.get(f"outcomesModule/{key}") or []
        rows = []
        for place, one in enumerate(several):
            doubts = sheet.doubts(f"outcomesModule/{key}/{place}")
            time = readable(one["timeFrame"]) if one.get("timeFrame") else MISSING
            measure = Markup("{}{}").format(readable(one.get("measure", "")), doubts)
            rows.append({"measure": measure, "time": time, "text": readable(one.get("description", ""))})
        if rows:
            made += Markup(table(columns, rows, f"{rank} outcomes"))
        elif rank == "Primary":
            made += Markup("<p>Primary outcomes: {}{}</p>").format(MISSING, sheet.doubts(f"outcomesModule/{key}"))
    return made


def _sites(sheet: Sheet) -> Markup:
    sites = sheet.get("contactsLocationsModule/locations") or []
    made = sheet.doubts("contactsLocationsModule/locations")
    if not sites:
        return made + Markup("<p>{}</p>").format(MISSING)
    columns = [
        Column("facility", "Facility"),
        Column("city", "City"),
        Column("country", "Country"),
        Column("status", "Status"),
    ]
    rows = [
        {
            "facility": one.get("facility", "–"),
            "city": ", ".join(one[key] for key in ("city", "state") if one.get(key)),
            "country": one.get("country", ""),
            "status": words_of(one["status"]) if one.get("status") else "",
        }
        for one in sites[:_MOST_SITES]
    ]
    if not any(row["status"] for row in rows):
        columns.pop()
    notes = [f"{len(sites) - _MOST_SITES} more sites are in the record."] if len(sites) > _MOST_SITES else []
    return made + Markup(table(columns, rows, f"{len(sites)} site{'s' if len(sites) != 1 else ''}", notes))


def _identifiers(sheet: Sheet) -> Markup:
    ids, who = "identificationModule", "sponsorCollaboratorsModule"
    others = [one.get("id", "") for one in sheet.get(f"{ids}/secondaryIdInfos") or []]
    collaborators = [one.get("name", "") for one in sheet.get(f"{who}/collaborators") or []]
    kind = sheet.text(f"{who}/leadSponsor/class")
    rows = [
        ("Registration number", sheet.value(f"{ids}/nctId")),
        ("Sponsor's own number", sheet.value(f"{ids}/orgStudyIdInfo/id")),
        ("Other numbers", Markup("{}").format("; ".join(others) or "none in the record")),
        ("Lead sponsor", sheet.value(f"{who}/leadSponsor/name")),
        ("Class of the sponsor", sheet.value(f"{who}/leadSponsor/class", words_of(kind) if kind else "")),
        ("Collaborators", Markup("{}").format("; ".join(collaborators) or "none in the record")),
    ]
    return _facts(rows)


def _findings(sheet: Sheet) -> Markup:
    """Every finding in one table, with what is missing gathered in a sentence."""
    missing = [one.values["field"] for one in sheet.record.findings if one.code == "record_field_missing"]
    rows = [
        {
            "grade": one.grade.value,
            "line": str(one.where.line or ""),
            "says": says(one, sheet.language),
            "mend": mend(one, sheet.language),
        }
        for one in sheet.record.findings
        if one.code != "record_field_missing"
    ]
    made = (
        Markup("<p><strong>Not in the record:</strong> {}.</p>\n").format(", ".join(missing)) if missing else Markup("")
    )
    columns = [
        Column("grade", "Grade"),
        Column("line", "Line", "right"),
        Column("says", "What"),
        Column("mend", "How to mend it"),
    ]
    if not rows:
        return made + Markup("<p>Nothing doubtful was found.</p>")
    return made + Markup(table(columns, rows, f"{len(rows)} findings"))
