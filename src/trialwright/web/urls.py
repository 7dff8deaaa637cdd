"""Every address, each behind the guard, but for those that let somebody in."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.views.i18n import set_language

from trialwright.web.api.urls import api
from trialwright.web.guard import View, broken, guarded
from trialwright.web.pages import (
    audit,
    casebooks,
    erasures,
    identity,
    importing,
    laboratory,
    order,
    participant,
    passkeys,
    people,
    product,
    protocol,
    queries,
    reports,
    safety,
    screening,
    second_factor,
    sign_ins,
    signing_in,
    today,
    tokens,
    trail,
    trial,
    visit,
)

#: Name of a page -> its address and its view; `permissions.PAGES` says who may open it.
ROUTES: dict[str, tuple[str, View]] = {
    "today": ("", today.today),
    "act_as": ("act-as", today.act_as),
    "trial": ("trial", trial.trial),
    "protocol": ("trial/protocol", protocol.protocol),
    "record": ("trial/record", protocol.record),
    "versions": ("trial/versions", protocol.versions),
    "screening": ("screening", screening.screening),
    "participant": ("participants/<str:identity>/", participant.participant),
    "visit": ("participants/<str:identity>/visits/<str:encounter>/", visit.visit),
    "visit_check": ("participants/<str:identity>/visits/<str:encounter>/check", visit.visit_check),
    "identity": ("participants/<str:identity>/identity", identity.identity),
    "identity_log": ("participants/<str:identity>/identity/log", identity.identity_log),
    "find": ("find", identity.find),
    "erasures": ("people/erasures", erasures.erasures),
    "audit": ("participants/<str:identity>/audit", audit.audit),
    "import": ("import", importing.upload),
    "import_mapping": ("import/mapping", importing.import_mapping),
    "import_saved": ("import/mappings/<int:number>.yaml", importing.import_saved),
    "import_preview": ("import/preview", importing.import_preview),
    "import_refused": ("import/refused.csv", importing.import_refused),
    "import_undo": ("import/<int:number>/undo", importing.import_undo),
    "laboratory": ("laboratory", laboratory.laboratory),
    "grid": ("participants/<str:identity>/laboratory/<str:kind>/", laboratory.grid),
    "grid_check": ("participants/<str:identity>/laboratory/<str:kind>/check", laboratory.grid_check),
    "entry": ("participants/<str:identity>/entries/<int:number>/", audit.entry),
    "queries": ("queries", queries.queries),
    "query": ("participants/<str:identity>/queries/<str:number>/", queries.query),
    "casebooks": ("casebooks", casebooks.casebooks),
    "casebook": ("participants/<str:identity>/casebook/", casebooks.casebook),
    "verify_source": ("participants/<str:identity>/verify", casebooks.verify_source),
    "trail": ("trail", trail.trail),
    "trail_export": ("trail/export", trail.trail_export),
    "product": ("product", product.product),
    "lot": ("product/lots/<str:identity>/", product.lot),
    "unit": ("product/units/<str:identity>/", product.unit),
    "safety": ("safety", safety.safety),
    "boundary": ("safety/boundary.svg", safety.boundary),
    "reports": ("reports", reports.reports),
    "export": ("reports/<str:name>", reports.export),
    "print_casebook": ("participants/<str:identity>/casebook/print", reports.print_casebook),
    "tokens": ("tokens", tokens.tokens),
    "token_revoke": ("tokens/revoke", tokens.token_revoke),
    "api_paths": ("api", tokens.api_paths),
    "people": ("people", people.people),
    "sign_ins": ("people/sign-ins", sign_ins.sign_ins),
    "sign_ins_csv": ("people/sign-ins.csv", sign_ins.sign_ins_csv),
    "account_new": ("people/new", people.account_new),
    "account_reset": ("people/reset", people.account_reset),
    "factor_roles": ("people/second-factor", second_factor.factor_roles),
    "order": ("order/<str:name>", order.order),
}
#: What is open to everybody.
OPEN: dict[str, tuple[str, View]] = {
    "sign_in": ("sign-in", signing_in.sign_in),
    "sign_in_code": ("sign-in/code", signing_in.sign_in_code),
    "sign_in_as": ("sign-in-as", signing_in.sign_in_as),
    "sign_out": ("sign-out", signing_in.sign_out),
    "password": ("password", signing_in.password),
    "second_factor": ("second-factor", second_factor.second_factor),
    "passkeys": ("passkeys", passkeys.passkeys),
    "passkey_challenge": ("passkeys/challenge", passkeys.passkey_challenge),
    "set_up": ("set-up", signing_in.set_up),
    "stay": ("stay", signing_in.stay),
    "language": ("language", set_language),
    "health": ("health", signing_in.health),
}

urlpatterns: list[Any] = [
    *(path(address, guarded(name, view), name=name) for name, (address, view) in ROUTES.items()),
    *(path(address, view, name=name) for name, (address, view) in OPEN.items()),
    path("api/v1/", api.urls),
]

handler500 = broken
