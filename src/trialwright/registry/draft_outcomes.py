"""Outcomes as endpoints, and the schedule that collects them: visits from time frames, baselines before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trialwright.registry.criteria_words import lexicon, part_of, plain, words_of
from trialwright.registry.draft_record import list_at, text_at
from trialwright.registry.draft_sheet import WIDE, Sheet
from trialwright.registry.draft_times import MAX_DAYS, days_of

#: Where no time frame can be read.
_DEFAULT_DAYS = 90
#: More outcomes than this are named in a question, and not drafted: nobody reads a protocol of a hundred endpoints.
MAX_OUTCOMES = 60


@dataclass(frozen=True, slots=True)
class _Outcome:
    """One outcome of the record, and the name of its endpoint."""

    name: str
    rank: str
    measure: str
    frame: str
    description: str
    days: tuple[int, ...]


def outcomes(sheet: Sheet) -> None:
    """Write `objectives`, `endpoints`, `estimands`, `analysis`, `schedule` and `safety`."""
    document = sheet.document
    found = list(_outcomes(sheet))
    document["records"]["adverse_event"] = _adverse_event()
    sheet.model["records"]["adverse_event"] = _events_drawn()
    baseline: list[str] = []
    visits: dict[int, list[str]] = {}
    for one in found:
        items = _endpoint(sheet, one)
        for item, before in items:
            if before:
                baseline.append(item)
            for day in one.days or (_DEFAULT_DAYS,):
                visits.setdefault(max(day, 2), []).append(item)
    last = max((*visits, *(day for one in found for day in one.days), 30))
    _objectives(sheet, found)
    _schedule(sheet, baseline, visits, min(last, MAX_DAYS))
    document["safety"] = {"grading": "CTCAE v5", "collected": "every adverse event", "assumes": "adverse_events"}
    sheet.assume(
        "adverse_events",
        "How adverse events are graded and how long they are collected was not read.",
        "CTCAE v5, every event to the end of follow-up; no rule that pauses the trial is drafted.",
    )


def _outcomes(sheet: Sheet) -> Iterator[_Outcome]:
    section = sheet.study.get("protocolSection", {})
    number = 0
    names: set[str] = set()
    for rank in ("primary", "secondary", "other"):
        for one in list_at(section, f"outcomesModule.{rank}Outcomes"):
            measure = text_at(one, "measure") or text_at(one, "description")
            if not measure:
                continue
            number += 1
            if number > MAX_OUTCOMES:
                sheet.ask(
                    "further_outcomes",
                    f"The record has more than {MAX_OUTCOMES} outcomes; the others are not drafted.",
                    "statistician",
                )
                return
            name = base = sheet.free(measure, "endpoints")
            again = 1
            while name in names:
                again += 1
                name = f"{base}_{again}"
            names.add(name)
            frame = text_at(one, "timeFrame")
            yield _Outcome(name, rank, measure, frame, text_at(one, "description"), days_of(frame))


def _endpoint(sheet: Sheet, one: _Outcome) -> list[tuple[str, bool]]:
    """Write the endpoint of an outcome; the items that it needs, and whether each has a baseline."""
    section: dict[str, Any] = {
        "label": one.measure[:240],
        "set": "allocated",
        "definition": f"As the record says: {one.measure[:400]}",
    }
    question = f"{one.name}_computed"
    asked, unread = "", "" if one.days else " No time could be read from its time frame; 90 days were taken."
    items: list[tuple[str, bool]] = []
    if _says("events", one.measure) and not _says("measured", one.measure):
        rule = "any(adverse_event where serious)" if _says("serious", one.measure) else "any(adverse_event)"
        section |= {
            "proportion": rule,
            "units": ["participants with an event", "participants allocated"],
            "unknown": "no event so far",
        }
        asked = "Which events count, and over which time, was read from the measure alone."
        method = "clopper_pearson"
    elif (known := _known_measure(one.measure)) and not _says("share", one.measure):
        if known not in sheet.document["items"]:
            sheet.document["items"][known] = part_of(known)
        if known not in sheet.model["items"]:
            low, _, high = lexicon().items[known].get("typical", "50..150").partition("..")
            sheet.model["items"][known] = {
                "is": f"uniform({low}, {high})",
                "source": WIDE,
                "decimals": 0 if part_of(known)["is"] == "count" else 2,
            }
        section |= _change(sheet, known, one)
        items.append((known, True))
        asked = "It was read as the change from baseline to the last visit of its time frame."
        method = "hodges_lehmann"
    elif _says("share", one.measure) and not re.search(r"\bchange\b", one.measure, re.I):
        item = sheet.free(f"has {one.name}" if len(one.name) < 40 else one.name, "endpoints")
        sheet.item(item, {"is": "yes_no", "label": one.measure[:240]}, {"is": "happens(0.3)", "source": WIDE})
        section |= {"proportion": item, "units": ["participants with it", "participants allocated"]}
        items.append((item, False))
        asked = "It was read as yes or no for each participant; the definition, and what is counted, are to be written."
        method = "clopper_pearson"
    else:
        item = sheet.free(f"value {one.name}" if len(one.name) < 40 else one.name, "endpoints")
        part = {"is": "quantity", "unit": "1", "possible": "-1000000..1000000", "label": one.measure[:240]}
        sheet.item(item, part, {"is": "normal(100, 25)", "source": WIDE, "decimals": 1})
        section |= _change(sheet, item, one)
        items.append((item, True))
        asked = "It was read as a number without a unit, and its change from baseline; unit and scale are missing."
        method = "hodges_lehmann"
    quotes = sheet.page.quotes(one.measure, one.frame)
    sheet.ask(question, f"How “{one.measure[:160]}” is computed is not drafted. {asked}{unread}", "statistician")
    sheet.document["endpoints"][one.name] = {**section, **({"from": quotes} if quotes else {}), "assumes": question}
    sheet.document["analysis"]["methods"][one.name] = method
    return items


def _says(what: str, measure: str) -> bool:
    """Whether a measure has one of the words of the lexicon for this."""
    words = "|".join(words_of("outcomes")[what])
    return re.search(rf"\b(?:{words})\b", measure, re.I) is not None


def _change(sheet: Sheet, item: str, one: _Outcome) -> dict[str, Any]:
    last = max((*one.days, 2)) if one.days else _DEFAULT_DAYS
    return {
        "change": [
            f"latest({item} within {last + _window(last)} days after allocation)",
            f"latest({item} within 60 days before allocation)",
        ],
        "units": [str(sheet.document["items"][item].get("unit", "")) or "count", "participants"],
    }


def _known_measure(text: str) -> str:
    """The item of the lexicon that an outcome names, where it names one alone."""
    known = lexicon()
    for match in known.phrases.finditer(text):
        kind, value = known.meaning[plain(match[0])]
        if (
            kind == "ITEM"
            and known.items[value]["is"] in ("quantity", "count")
            and not {"spread", "stands_for"} & set(known.items[value])
        ):
            return value
    return ""


def _adverse_event() -> dict[str, Any]:
    return {
        "label": {"en": "Adverse event", "zh": "不良事件"},
        "fields": {
            "term": {"is": ["event", "other"], "label": {"en": "Term", "zh": "名称"}},
            "grade": {"is": "count", "possible": "1..5", "label": {"en": "Grade", "zh": "分级"}},
            "serious": {"is": "yes_no", "label": {"en": "Serious", "zh": "严重"}},
            "related": {
                "is": ["unrelated", "unlikely", "possible", "probable", "definite"],
                "label": {"en": "Related", "zh": "相关性"},
            },
        },
    }


def _events_drawn() -> dict[str, Any]:
    return {
        "count": {"is": "happens(0.15)", "source": WIDE},
        "days": "-poisson(4)",
        "fields": {
            "term": "pick(event=0.8, other=0.2)",
            "grade": "1 + happens(0.3)",
            "serious": "happens(0.03)",
            "related": "pick(unrelated=0.6, unlikely=0.2, possible=0.2)",
        },
    }


def _objectives(sheet: Sheet, found: list[_Outcome]) -> None:
    document = sheet.document
    if not any(one.rank == "primary" for one in found):
        document["endpoints"]["any_adverse_event"] = {
            "label": {"en": "Any adverse event", "zh": "任何不良事件"},
            "proportion": "any(adverse_event)",
            "units": ["participants with an event", "participants allocated"],
            "unknown": "no event so far",
            "set": "allocated",
            "assumes": sheet.ask(
                "no_primary_outcome",
                "No primary outcome was found in the record; adverse events stand in its place.",
                "principal investigator",
            ),
        }
        document["analysis"]["methods"]["any_adverse_event"] = "clopper_pearson"
        document["objectives"]["primary"] = {
            "level": "primary",
            "says": document["title"],
            "endpoints": ["any_adverse_event"],
        }
    for rank, level in (("primary", "primary"), ("secondary", "secondary"), ("other", "exploratory")):
        names = [one.name for one in found if one.rank == rank]
        if names:
            says = "; ".join(one.measure for one in found if one.rank == rank)
            document["objectives"][level] = {"level": level, "says": says[:600], "endpoints": names}
    first = next(iter(document["objectives"].values()))["endpoints"][0]
    endpoint = document["endpoints"][first]
    arms = [
        label["label"] if isinstance(label["label"], str) else label["label"]["en"]
        for label in document["arms"].values()
    ]
    document["estimands"]["primary"] = {
        "endpoint": first,
        "population": "Participants allocated.",
        "treatment": " against ".join(arms[:2]) if len(arms) > 1 else arms[0],
        "variable": endpoint["label"] if isinstance(endpoint["label"], str) else endpoint["label"]["en"],
        "summary": "Change from baseline." if "change" in endpoint else "Proportion.",
        "assumes": sheet.ask(
            "estimand", "Intercurrent events and how they are handled are not in the record.", "statistician"
        ),
    }
    types = {name: arm["type"] for name, arm in document["arms"].items()}
    control = next(
        (
            name
            for name, kind in types.items()
            if kind in ("placebo comparator", "active comparator", "no intervention")
        ),
        "",
    )
    tested = next((name for name in types if name != control), "")
    if control and tested:
        document["analysis"]["compare"] = [tested, control]
    elif len(types) > 1:
        document["analysis"]["compare"] = list(types)[:2]


def _window(day: int) -> int:
    return max(1, min(14, day // 10))


def _schedule(sheet: Sheet, baseline: list[str], visits: Mapping[int, list[str]], last: int) -> None:
    document = sheet.document
    sealed = document["allocation"]["method"] == "sealed list"
    history: dict[str, Any] = {"asks": sheet.asked}
    if sheet.partner:
        history["partner"] = sheet.partner
        document["relatives"] = {"partner": sheet.partner}
    if sheet.added:
        history["adds"] = sheet.added
    lists = {part["absent"].removeprefix("no in ") for part in document["items"].values() if part.get("absent")}
    closes = [*sheet.added, *sorted(lists)]
    if closes:
        history["closes"] = closes
    activities: dict[str, Any] = {
        "consent_and_history": history,
        "confirm_eligibility": {"decides": "eligibility"},
        "enrol": {"decides": "enrolment"},
        "allocate": {"decides": "allocation"},
    }
    encounters: dict[str, Any] = {}
    before = [item for item in dict.fromkeys(baseline) if item not in sheet.asked]
    if before:
        activities["measure_baseline"] = {"asks": before}
    does = ["consent_and_history", *(["measure_baseline"] if before else [])]
    encounters["screening"] = {
        "epoch": "screening",
        "label": "Screening",
        "at": "consent",
        "window": [0, 14],
        "does": does,
    }
    encounters["entry"] = {
        "epoch": "screening", "label": "Eligibility and entry", "at": "7 days after consent", "window": [-6, 28],
        "does": ["confirm_eligibility", "enrol", "allocate"],
    }  # fmt: skip
    for name in document["interventions"]:
        activities[f"give_{name}"] = {"performs": name}
    shared = [
        name for name in document["interventions"] if all(name in arm["gives"] for arm in document["arms"].values())
    ]
    if sealed or len(document["arms"]) == 1:
        shared = list(document["interventions"])
    if shared:
        encounters["treatment"] = {
            "epoch": "treatment", "label": "Treatment", "at": "1 days after allocation", "window": [0, 14],
            "does": [f"give_{name}" for name in shared],
        }  # fmt: skip
    for arm, part in document["arms"].items():
        own = [f"give_{name}" for name in part["gives"] if name not in shared]
        if own:
            encounters[f"treatment_{arm}"[:60]] = {
                "epoch": "treatment", "label": f"Treatment: {part['label']}"[:200], "at": "1 days after allocation",
                "window": [0, 14], "arms": [arm], "does": own,
            }  # fmt: skip
    activities["ask_events"] = {"adds": "adverse_event"}
    activities["close_lists"] = {"closes": "adverse_event"}
    for day in sorted(visits):
        activities[f"measure_day_{day}"] = {"asks": list(dict.fromkeys(visits[day]))}
        encounters[f"day_{day}"] = {
            "epoch": "follow_up", "label": f"Day {day}", "at": f"{day} days after allocation",
            "window": [-min(_window(day), day - 1), _window(day)], "does": [f"measure_day_{day}", "ask_events"],
        }  # fmt: skip
    end = last + _window(last) + 1
    encounters["end_of_study"] = {
        "epoch": "follow_up", "label": "Last contact", "at": f"{end} days after allocation", "window": [-1, 14],
        "does": ["ask_events", "close_lists"],
    }  # fmt: skip
    sheet.assume(
        "times_from_allocation",
        "Time frames count from different days, and visits are not in the record.",
        "All times count from allocation; treatment starts the day after; a visit at each day that a time frame names.",
    )
    encounters["end_of_study"]["assumes"] = "times_from_allocation"
    document["schedule"] = {
        "anchors": {
            "consent": {"event": "consent"},
            "enrolment": {"event": "enrolment"},
            "allocation": {"event": "allocation"},
        },
        "epochs": {"screening": "Screening", "treatment": "Treatment", "follow_up": "Follow-up"},
        "encounters": encounters,
        "activities": activities,
        "follow_up": f"{end} days after allocation",
    }
    sheet.model["mess"]["never_missed"] = [
        "screening",
        "entry",
        "end_of_study",
        *(name for name in encounters if name.startswith("treatment")),
    ]
