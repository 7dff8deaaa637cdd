"""Refusals as answers: each has a status and findings that say what is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from trialwright.core.finding import Finding, Refused, finding, mend, says
from trialwright.web.api.schemas import Problem, Told
from trialwright.web.api.tokens import SHUT_OUT, ShutOut
from trialwright.web.words import language

#: What any request may be answered with, beside what it asks for.
REFUSALS: dict[int, Any] = {401: Problem, 403: Problem, 404: Problem, 422: Problem, 429: Problem}
#: Findings that say that somebody or something else was first.
_CONFLICTS = frozenset({"participant_exists", "record_exists", "product_exists", "api_key_reused", "question_answered"})


class NotAllowed(Exception):
    """The role, or the scope of the token, does not let somebody do this."""

    def __init__(self, found: Finding) -> None:
        super().__init__(found.code)
        self.found = found


def problem(found: Iterable[Finding]) -> Problem:
    """Findings in the language of the one who asks."""
    words = language()
    return Problem(
        findings=[
            Told(code=one.code, says=says(one, words), mend=mend(one, words), where=str(one.where)) for one in found
        ]
    )


def status_of(refused: Refused) -> int:
    """409 where something else was first, else 422."""
    return 409 if any(one.code in _CONFLICTS for one in refused.findings) else 422


def install(api: NinjaAPI) -> None:
    """Give every refusal its answer."""

    def answered(request: HttpRequest, status: int, *found: Finding) -> HttpResponse:
        response: HttpResponse = api.create_response(request, problem(found).model_dump(), status=status)
        return response

    def refused(request: HttpRequest, one: Refused) -> HttpResponse:
        return answered(request, status_of(one), *one.findings)

    def not_allowed(request: HttpRequest, one: NotAllowed) -> HttpResponse:
        return answered(request, 403, one.found)

    def missing(request: HttpRequest, _one: Http404) -> HttpResponse:
        return answered(request, 404, finding("api_not_there"))

    def unknown(request: HttpRequest, _one: AuthenticationError) -> HttpResponse:
        response = answered(request, 401, finding("api_token_wrong"))
        response["WWW-Authenticate"] = "Bearer"
        return response

    def shut_out(request: HttpRequest, _one: ShutOut) -> HttpResponse:
        response = answered(request, 429, finding("api_shut_out", minutes=SHUT_OUT // 60))
        response["Retry-After"] = str(SHUT_OUT)
        return response

    def invalid(request: HttpRequest, one: ValidationError) -> HttpResponse:
        found = [
            finding("api_field_wrong", name=".".join(str(part) for part in each["loc"][1:]), why=each["msg"])
            for each in one.errors
        ]
        return answered(request, 422, *found)

    def unreadable(request: HttpRequest, one: HttpError) -> HttpResponse:
        return answered(request, 422, finding("api_field_wrong", name="body", why=str(one)))

    handlers: tuple[tuple[type[Exception], Any], ...] = (
        (Refused, refused), (NotAllowed, not_allowed), (Http404, missing), (AuthenticationError, unknown),
        (ShutOut, shut_out), (ValidationError, invalid), (HttpError, unreadable),
    )  # fmt: skip
    for kind, handler in handlers:
        api.add_exception_handler(kind, handler)
