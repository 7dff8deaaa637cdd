"""The trial: which protocol version each site works by, and the questions that it leaves open."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from trialwright.trial import commands as c
from trialwright.web.guard import allowed, desk
from trialwright.web.pages.order import link_to
from trialwright.web.words import written


def trial(request: HttpRequest) -> HttpResponse:
    """Sites, versions, open questions."""
    state, protocol = desk().trial(), desk().protocol(request.acting.site)
    document = protocol.document
    activates, answers = allowed(request, c.ActivateProtocol), allowed(request, c.AnswerQuestion)
    sites = [
        (
            name,
            written(one),
            state.active.get(name, ""),
            link_to("activate-protocol", site=name, digest=protocol.digest, back="/trial")
            if activates and name not in state.active
            else "",
        )
        for name, one in document.sites.items()
    ]
    questions = [
        (
            name,
            one,
            state.answers.get(name),
            link_to("answer-question", question=name, back="/trial") if answers and name not in state.answers else "",
        )
        for name, one in document.assumptions.items()
        if not one.choice
    ]
    assumptions = [(name, one) for name, one in document.assumptions.items() if one.choice]
    context = {
        "document": document,
        "digest": protocol.digest,
        "sites": sites,
        "questions": questions,
        "assumptions": assumptions,
        "ledger": desk().ledger.header,
        "events": desk().ledger.last(),
    }
    return render(request, "web/trial.html", context)
