"""The life of a query: raised by a person or an edit check, answered by the site, closed or asked again.

An edit check's query is closed with its answer. A person's is answered by the site, and closed or asked again in the
role that raised it.
"""

from __future__ import annotations

from typing import Any, Literal

from trialwright.ledger.envelope import Event, NewEvent
from trialwright.protocol.naming import nearest
from trialwright.trial import commands as c
from trialwright.trial import events as e
from trialwright.trial.gate import Gate, refuse
from trialwright.trial.schedule import encounter_of
from trialwright.trial.state import Participant, Query, Step, Thread


def raise_query(gate: Gate, command: c.RaiseQuery) -> list[NewEvent]:
    """A question to the site about an entry, a visit, or all of her."""
    participant = gate.present(command.participant)
    if not command.says.strip():
        refuse("reason_missing", what="A query (what is asked)")
    item = _asked_about(gate, participant, command)
    payload: dict[str, Any] = {
        "query": f"Q{participant.asked + 1}",
        "item": item,
        "says": command.says,
        "event": command.event,
        "field": command.field,
        "encounter": command.encounter,
        "record": command.record,
    }
    return [gate.event(e.QUERY_RAISED, command.on, payload)]


def answer_query(gate: Gate, command: c.AnswerQuery) -> list[NewEvent]:
    """The site's answer; the query waits for whoever raised it."""
    thread = _raised(gate, command.participant, command.query)
    if thread.state != "open":
        refuse("query_state", query=thread.identity, state=thread.state, action="an answer")
    if not command.answer.strip():
        refuse("reason_missing", what="The answer to a query")
    gate.in_order(f"the query {thread.identity}", command.on, thread.steps[-1].on)
    return [gate.event(e.QUERY_ANSWERED, command.on, {"query": command.query, "answer": command.answer})]


def resolve_query(gate: Gate, command: c.ResolveQuery) -> list[NewEvent]:
    """A query closed in the role that raised it; without an answer it is taken back, and that needs a reason."""
    thread = _raised(gate, command.participant, command.query)
    gate.role_is(thread.role, f"Closing the query {thread.identity}")
    if thread.state == "closed":
        refuse("query_state", query=thread.identity, state=thread.state, action="closing")
    if thread.state == "open" and not command.reason.strip():
        refuse("reason_missing", what="Closing a query that nobody has answered")
    gate.in_order(f"the query {thread.identity}", command.on, thread.steps[-1].on)
    return [gate.event(e.QUERY_RESOLVED, command.on, {"query": command.query}, command.reason)]


def reopen_query(gate: Gate, command: c.ReopenQuery) -> list[NewEvent]:
    """A query asked again in the role that raised it, and why."""
    thread = _raised(gate, command.participant, command.query)
    gate.role_is(thread.role, f"Asking the query {thread.identity} again")
    if thread.state == "open":
        refuse("query_state", query=thread.identity, state=thread.state, action="asking again")
    if not command.reason.strip():
        refuse("reason_missing", what="Asking again")
    gate.in_order(f"the query {thread.identity}", command.on, thread.steps[-1].on)
    return [gate.event(e.QUERY_REOPENED, command.on, {"query": command.query}, command.reason)]


def close_query(gate: Gate, command: c.CloseQuery) -> list[NewEvent]:
    """The query of an edit check, closed with its answer."""
    participant = gate.present(command.participant)
    thread = participant.threads.get(command.query)
    if thread is not None and thread.role:
        refuse("query_of_a_person", query=command.query, role=thread.role)
    if command.query not in participant.queries:
        refuse("query_unknown", participant=command.participant, query=command.query)
    if not command.answer.strip():
        refuse("reason_missing", what="The answer to a query")
    return [gate.event(e.QUERY_CLOSED, command.on, {"query": command.query, "answer": command.answer})]


def _raised(gate: Gate, identity: str, query: str) -> Thread:
    thread = gate.present(identity).threads.get(query)
    if thread is None:
        refuse("query_unknown", participant=identity, query=query)
    if not thread.role:
        refuse("query_of_a_check", query=query)
    return thread


def _asked_about(gate: Gate, participant: Participant, command: c.RaiseQuery) -> str:
    """What the query is about, in the protocol's names; a refusal where there is no such thing."""
    if command.encounter:
        encounters = gate.protocol.document.schedule.encounters
        if encounter_of(command.encounter) not in encounters:
            refuse("encounter_unknown", encounter=command.encounter, nearest=nearest(command.encounter, encounters))
        return command.encounter
    if not command.event:
        return ""
    entry = participant.entries.get(command.event)
    if entry is None:
        refuse("event_unknown", participant=participant.identity, event=command.event)
    kind, fields = entry.payload.get("kind"), entry.payload.get("fields")
    if command.field and (not isinstance(fields, dict) or command.field not in fields):
        told = ", ".join(fields) if isinstance(fields, dict) else ""
        refuse(
            "field_unknown", kind=str(kind or entry.type), name=command.field, nearest="", fields=told or "no fields"
        )
    if kind:
        return f"{kind}.{command.field}" if command.field else f"{kind} {entry.payload.get('record')}"
    return str(entry.payload.get("item") or entry.payload.get("encounter") or entry.payload.get("list") or "")


# ---------------------------------------------------------------- the fold


def apply_query(p: Participant, event: Event) -> None:
    """Take one event into the life of its query; a step of a query that was never asked is an oddity."""
    told = {name: str(value) for name, value in event.payload.items() if value is not None}
    query = told.get("query", "")
    if event.type in (e.QUERY_OPENED, e.QUERY_RAISED):
        _asked(p, event, query, told)
        return
    if event.type == e.QUERY_CLOSED:
        _closed(p, event, query)
        return
    thread = p.threads.get(query)
    if thread is None:
        p.oddities.append(f"event {event.seq} is about the query {query}, which nobody asked")
        return
    match event.type:
        case e.QUERY_ANSWERED:
            thread.state = "answered"
            p.queries.pop(query, None)
            thread.steps.append(_step(event, "answered", told.get("answer", "")))
        case e.QUERY_RESOLVED:
            thread.state = "closed"
            p.queries.pop(query, None)
            thread.steps.append(_step(event, "closed", event.reason))
        case _:
            thread.state = "open"
            p.queries[query] = Query(event.seq, event.on, thread.item, thread.says)
            thread.steps.append(_step(event, "asked again", event.reason))


def _asked(p: Participant, event: Event, query: str, told: dict[str, str]) -> None:
    number = query.removeprefix("Q")
    p.asked = max(p.asked, int(number) if number.isdecimal() else 0)
    item, says = told.get("item", ""), told.get("says", "")
    person = event.type == e.QUERY_RAISED
    thread = Thread(query, item, says, event.role if person else "")
    if person:
        about = event.payload.get("event")
        thread.event = about if isinstance(about, int) else 0
        thread.of_field, thread.encounter, thread.record = (told.get(n, "") for n in ("field", "encounter", "record"))
    thread.steps.append(_step(event, "asked", says))
    p.threads[query] = thread
    early = p.early.pop(("query", query), None)
    if early:  # its answer is dated before it
        _close(thread, early[-1])
        return
    p.queries[query] = Query(event.seq, event.on, item, says)


def _closed(p: Participant, event: Event, query: str) -> None:
    if p.queries.pop(query, None) is None:
        p.early.setdefault(("query", query), []).append(event)
    elif query in p.threads:
        _close(p.threads[query], event)


def _close(thread: Thread, event: Event) -> None:
    thread.state = "closed"
    thread.steps.append(_step(event, "closed", str(event.payload.get("answer") or "")))


def _step(event: Event, what: Literal["asked", "answered", "closed", "asked again"], says: str) -> Step:
    return Step(event.seq, what, event.on, event.at, event.user, event.role, says)


def threads_of(identity: str, events: list[Event]) -> list[Thread]:
    """The queries about one participant, from those of her events that are about queries, in their order."""
    participant = Participant(identity)
    for event in events:
        apply_query(participant, event)
    return list(participant.threads.values())
