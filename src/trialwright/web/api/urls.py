"""The API under /api/v1/: its paths, its description in OpenAPI, and who is let in."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.security import HttpBearer

from trialwright import __version__
from trialwright.web.api import commands, problems, reading
from trialwright.web.api.tokens import known
from trialwright.web.models import Token

_ABOUT = (
    "The gate of the pages over HTTP. Every request carries `Authorization: Bearer TOKEN`; a session does not count. "
    "A refusal answers with findings: what is wrong, where, and how to mend it."
)


class Bearer(HttpBearer):
    """A token of the page *Tokens*."""

    def authenticate(self, request: HttpRequest, token: str) -> Token | None:
        """Who acts by it, or nobody."""
        return known(request, token)


api = NinjaAPI(
    title="Trialwright", version=__version__, description=_ABOUT, docs_url=None, urls_namespace="api", auth=Bearer()
)
problems.install(api)
reading.install(api)
commands.install(api)
