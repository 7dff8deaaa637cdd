"""The API: a token in place of a session, the gate and the permissions of the pages, and requests from its schema."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from datetime import date, timedelta
from typing import Any

import pytest

from tests.web.conftest import NOW, account_of, signed_in
from trialwright.trial import commands as c
from trialwright.trial.delegations import ROLES, delegations_of
from trialwright.trial.office import Sender
from trialwright.web.desk import Desk
from trialwright.web.permissions import COMMANDS, may_do

WEIGHT = {"participant": "P-2", "item": "weight", "value": "61.5 kg", "on": "2026-03-19"}
#: What has no path of its own: a signature, a note and an erasure are never sent alone.
_NEVER_ALONE = {c.Sign, c.Note, c.OrderErasure, c.ConfirmErasure}
ADMIN = Sender("administrator", "administrator", "2026-03-20T03:00:00Z")


@pytest.fixture(autouse=True)
def nobody_is_shut_out(shared_desk: Desk) -> None:
    """Wrong tokens of one test are not counted in another."""
    from trialwright.web.api.tokens import WRONG

    WRONG.forget()


class Caller:
    """Somebody who speaks to the API with a token of hers."""

    def __init__(self, desk: Desk, name: str, writes: bool = True, expires: date = date(2026, 6, 1)) -> None:
        from django.test import Client

        from trialwright.web.api.tokens import make

        self.account = account_of(name)
        mine = next(iter(delegations_of(desk.trial(), name, desk.today())))
        self.token = make(self.account, "a test", mine.identity, writes, expires)
        self.client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {self.token}"})

    def get(self, path: str) -> Any:
        """What a path answers."""
        return self.client.get(f"/api/v1/{path}")

    def post(self, command: str, told: dict[str, Any], key: str = "", dry: bool = False) -> Any:
        """What a command comes to."""
        path = f"/api/v1/commands/{command}{'?dry_run=true' if dry else ''}"
        headers = {"Idempotency-Key": key} if key else {}
        return self.client.post(path, json.dumps(told), content_type="application/json", headers=headers)


def _codes(answer: Any) -> set[str]:
    return {one["code"] for one in answer.json()["findings"]}


def _least(command: type) -> dict[str, Any]:
    """A body that only names what must be named."""
    plain = {"int": 1, "bool": True, "Mapping[str, str]": {}, "Mapping[int, str]": {"1": "x"}}
    return {
        one.name: plain.get(str(one.type), "x")
        for one in fields(command)
        if one.default is MISSING and one.default_factory is MISSING
    }


# ---------------------------------------------------------------- who is let in


def test_without_a_token_nobody_is_let_in_and_a_session_does_not_count(desk: Desk) -> None:
    from django.test import Client

    for client in (Client(), signed_in("coordinator"), Client(headers={"Authorization": "Basic eDp5"})):
        answer = client.get("/api/v1/me")
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
        assert _codes(answer) == {"api_token_wrong"}


@pytest.mark.parametrize("how", ["expired", "taken back", "account closed", "delegation ended", "cut short"])
def test_a_token_that_no_longer_holds_lets_nobody_in(desk: Desk, how: str) -> None:
    from trialwright.web.models import Token

    caller = Caller(desk, "coordinator")
    assert caller.get("me").status_code == 200
    token = Token.objects.get(begins_with=caller.token[:8], account=caller.account)
    match how:
        case "expired":
            Token.objects.filter(pk=token.pk).update(expires=date(2026, 3, 19))
        case "taken back":
            Token.objects.filter(pk=token.pk).update(revoked=NOW)
        case "account closed":
            caller.account.is_active = False
            caller.account.save()
        case "delegation ended":
            order = c.EndDelegation(token.delegation, "left the centre", "2026-03-20")
            desk.submit({"EndDelegation": order}, ADMIN, "end")
        case _:
            caller.client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {caller.token[:-1]}"
    assert caller.get("me").status_code == 401
    caller.account.is_active = True
    caller.account.save()


def test_wrong_tokens_shut_their_address_out_and_are_logged(desk: Desk) -> None:
    from axes.models import AccessFailureLog
    from django.test import Client

    from trialwright.web.api.tokens import ATTEMPTS

    client, before = Client(headers={"Authorization": "Bearer tw_guess"}), AccessFailureLog.objects.count()
    for _ in range(ATTEMPTS):
        assert client.get("/api/v1/me").status_code == 401
    answer = client.get("/api/v1/me")
    assert (answer.status_code, answer["Retry-After"]) == (429, "900")
    assert Caller(desk, "coordinator").get("me").status_code == 429, "the address is shut out, whatever it sends"
    assert AccessFailureLog.objects.count() == before + ATTEMPTS


def test_a_token_is_made_on_its_page_with_the_password_shown_once_and_kept_as_a_hash(desk: Desk) -> None:
    from trialwright.web.models import Token

    account_of("monitor", "a long and fresh pass phrase")
    client = signed_in("monitor")
    mine = next(iter(delegations_of(desk.trial(), "monitor", desk.today())))
    told = {"name": "nightly copy", "delegation": mine.identity, "scope": "read", "expires": "2026-09-01"}
    assert "not the password" in client.post("/tokens", {**told, "password": "guess"}).content.decode()
    late = {**told, "expires": str(NOW.date() + timedelta(days=366)), "password": "a long and fresh pass phrase"}
    assert "A token ends" in client.post("/tokens", late).content.decode()
    text = client.post("/tokens", {**told, "password": "a long and fresh pass phrase"}).content.decode()
    secret = text.partition('class="secret">')[2].partition("<")[0]
    assert secret.startswith("tw_")
    assert secret not in client.get("/tokens").content.decode()
    token = Token.objects.get(name="nightly copy")
    assert secret not in str(Token.objects.values())
    assert not token.writes
    assert "nightly copy" in signed_in("administrator").get("/tokens").content.decode()
    assert "nightly copy" not in signed_in("coordinator").get("/tokens").content.decode()
    assert signed_in("coordinator").post("/tokens/revoke", {"token": token.pk}).status_code == 404
    assert signed_in("administrator").post("/tokens/revoke", {"token": token.pk}).status_code == 302
    token.refresh_from_db()
    assert (token.revoked_by, token.revoked is not None) == ("administrator", True)


def test_nobody_makes_a_token_for_the_delegation_of_somebody_else(desk: Desk) -> None:
    other = next(iter(delegations_of(desk.trial(), "investigator", desk.today())))
    told = {"name": "x", "delegation": other.identity, "expires": "2026-09-01", "password": "x"}
    assert signed_in("coordinator").post("/tokens", told).status_code == 404


# ---------------------------------------------------------------- what may be read


@pytest.mark.parametrize(
    ("name", "path", "status"),
    [
        ("coordinator", "participants/P-1", 200),
        ("coordinator", "participants/P-1/audit", 403),
        ("coordinator", "participants/Q-1", 404),
        ("coordinator", "participants/Q-1/visits", 404),
        ("coordinator", "participants/Q-1/observations", 404),
        ("coordinator", "participants/Q-1/eligibility", 404),
        ("coordinator", "participants/nobody", 404),
        ("other-site", "participants/P-1", 404),
        ("everywhere", "participants/Q-1", 200),
        ("everywhere", "participants/Q-1/audit", 200),
        ("administrator", "participants", 403),
        ("administrator", "participants/P-1", 403),
        ("statistician", "worklist", 403),
        ("cell-laboratory", "product/lots", 200),
        ("cell-laboratory", "queries", 403),
        ("safety-board", "alerts", 200),
        ("coordinator", "exports/study-report", 404),
        ("coordinator", "exports/screening", 200),
        ("coordinator", "participants/P-2/eligibility?on=soon", 422),
        ("coordinator", "participants?size=0", 422),
        ("coordinator", "no/such/path", 404),
    ],
)
def test_a_path_answers_as_the_page_would(desk: Desk, name: str, path: str, status: int) -> None:
    assert Caller(desk, name).get(path).status_code == status


def test_lists_hold_the_women_of_the_site_alone_and_come_in_pages(desk: Desk) -> None:
    here = Caller(desk, "coordinator")
    assert [one["participant"] for one in here.get("participants").json()["items"]] == ["P-1", "P-2"]
    second = here.get("participants?page=2&size=1").json()
    assert ([one["participant"] for one in second["items"]], second["total"]) == (["P-2"], 2)
    assert {one["participant"] for one in here.get("worklist").json()} <= {"P-1", "P-2"}
    assert {one["participant"] for one in Caller(desk, "other-site").get("worklist").json()} <= {"Q-1"}
    assert Caller(desk, "other-site").get("product/units").json() == []
    assert Caller(desk, "everywhere").get("participants").json()["total"] == 3


def test_an_observation_is_told_as_it_stands_after_a_correction(desk: Desk) -> None:
    caller = Caller(desk, "coordinator")
    weight = next(one for one in caller.get("participants/P-2/observations?item=weight").json()["items"])
    told = {"participant": "P-2", "event": weight["event"], "values": {"value": "63 kg"}, "reason": "wrong line"}
    assert caller.post("Correct", {**told, "on": "2026-03-20"}, "correct-1").status_code == 200
    after = caller.get("participants/P-2/observations?item=weight").json()["items"]
    assert [one["entered"] for one in after] == ["63 kg"]


def test_what_leaves_over_the_api_is_in_the_log_of_exports(desk: Desk) -> None:
    from trialwright.web.models import ExportLog

    caller = Caller(desk, "coordinator")
    answer = caller.get("exports/screening")
    while answer.status_code == 202:  # it is being made
        answer = caller.get("exports/screening")
    assert answer.content.startswith(b"participant,site")
    assert b"Q-1" not in answer.content
    last = ExportLog.objects.latest("pk")
    assert (last.username, last.site, last.by_token) == ("coordinator", "S01", "a test")


# ---------------------------------------------------------------- what may be submitted


def test_every_command_has_its_path_and_its_own_fields(desk: Desk) -> None:
    from django.test import Client

    schema = Client().get("/api/v1/openapi.json").json()
    for command in COMMANDS:
        path = schema["paths"].get(f"/api/v1/commands/{command.__name__}")
        assert (path is None) == (command in _NEVER_ALONE), command.__name__
        if path is not None:
            told = schema["components"]["schemas"][command.__name__]
            assert set(told["properties"]) == {one.name for one in fields(command)}
            assert set(told.get("required", ())) == set(_least(command))


@pytest.mark.parametrize("role", ROLES)
def test_a_command_is_for_the_roles_of_the_table_and_for_no_other(desk: Desk, role: str) -> None:
    caller, before = Caller(desk, role.replace(" ", "-")), desk.ledger.last()
    listed = set(caller.get("me").json()["may_submit"])
    for command in COMMANDS.keys() - _NEVER_ALONE:
        name = command.__name__
        assert (name in listed) == may_do(role, command)
        if not may_do(role, command):
            answer = caller.post(name, _least(command), f"{role.replace(' ', '-')}-{name}")
            assert (answer.status_code, _codes(answer)) == (403, {"api_not_your_role"}), f"{role}: {name}"
    assert desk.ledger.last() == before


def test_a_command_becomes_the_events_that_a_page_would_write(desk: Desk) -> None:
    caller, before = Caller(desk, "coordinator"), desk.ledger.last()
    answer = caller.post("Observe", WEIGHT, "weight-of-P-2")
    assert answer.status_code == 200, answer.content
    event = next(desk.ledger.events(after=before))
    assert answer.json()["events"][0]["hash"] == event.hash
    assert (event.user, event.role, event.command.split()[0]) == ("coordinator", "coordinator", "api")
    again = caller.post("Observe", WEIGHT, "weight-of-P-2").json()
    assert (again["repeated"], [one["seq"] for one in again["events"]]) == (True, [event.seq])
    assert desk.ledger.last() == before + 1
    other = caller.post("Observe", {**WEIGHT, "value": "62 kg"}, "weight-of-P-2")
    assert (other.status_code, _codes(other)) == (409, {"api_key_reused"})


@pytest.mark.parametrize(
    ("name", "command", "told", "status", "code"),
    [
        ("coordinator", "Observe", {**WEIGHT, "value": "6150 kg"}, 422, "value_impossible"),
        ("coordinator", "Observe", {**WEIGHT, "participant": "Q-1"}, 422, "participant_unknown"),
        ("coordinator", "Observe", {**WEIGHT, "vaule": "1"}, 422, "api_field_wrong"),
        ("coordinator", "Observe", {**WEIGHT, "on": 7}, 422, "api_field_wrong"),
        ("coordinator", "Observe", {**WEIGHT, "value": "a\0b"}, 422, "api_field_wrong"),
        ("coordinator", "Screen", {"participant": "P-2", "site": "S01", "on": "2026-03-20"}, 409, "participant_exists"),
        ("coordinator", "Screen", {"participant": "P-9", "site": "S02", "on": "2026-03-20"}, 422,
         "not_at_this_site"),
        ("other-site", "ReceiveUnit", {"unit": "U-P-1", "on": "2026-03-20T10:00"}, 422, "not_at_this_site"),
        ("investigator", "Delegate", {"user": "x", "role": "monitor", "begins": "2026-03-20", "training": "GCP",
                                      "on": "2026-03-20"}, 422, "not_at_this_site"),
        ("investigator", "Enrol", {"participant": "P-2", "on": "2026-03-20"}, 403, "api_is_signed"),
    ],
)  # fmt: skip
def test_what_is_refused_says_why_and_writes_nothing(
    desk: Desk, name: str, command: str, told: dict[str, Any], status: int, code: str
) -> None:
    before = desk.ledger.last()
    answer = Caller(desk, name).post(command, told, "a-key-of-mine")
    assert (answer.status_code, _codes(answer)) == (status, {code})
    assert all(one["says"] and one["mend"] for one in answer.json()["findings"])
    assert desk.ledger.last() == before


def test_a_trial_run_writes_nothing_and_needs_no_key_and_no_right_to_write(desk: Desk) -> None:
    caller, before = Caller(desk, "coordinator", writes=False), desk.ledger.last()
    answer = caller.post("Observe", {**WEIGHT, "item": "amh", "value": "9 ng/mL"}, dry=True).json()
    assert (answer["accepted"], answer["events"]) == (True, [])
    assert "plausible" in answer["queries"][0]
    assert caller.post("Observe", {**WEIGHT, "value": "6150 kg"}, dry=True).status_code == 422
    assert _codes(caller.post("Observe", WEIGHT, "a-key-of-mine")) == {"api_reads_only"}
    assert _codes(Caller(desk, "coordinator").post("Observe", WEIGHT)) == {"api_key_missing"}
    assert desk.ledger.last() == before


def test_a_finding_is_told_in_the_language_that_is_asked_for(desk: Desk) -> None:
    caller = Caller(desk, "coordinator")
    english = caller.get("participants/nobody").json()["findings"][0]["says"]
    chinese = caller.client.get("/api/v1/participants/nobody", headers={"Accept-Language": "zh-Hans"}).json()
    assert english.isascii()
    assert not chinese["findings"][0]["says"].isascii()


# ---------------------------------------------------------------- requests made from its own description


def test_no_request_made_from_the_description_breaks_the_server_or_its_promise(desk: Desk) -> None:
    """Every operation, several requests each, right and wrong ones; the answers are what the description says."""
    import schemathesis
    from django.core.wsgi import get_wsgi_application
    from django.test import override_settings
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis.checks import load_all_checks
    from schemathesis.specs.openapi import checks

    load_all_checks()
    kept = (
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
        schemathesis.checks.not_a_server_error,
    )
    caller = Caller(desk, "coordinator")
    headers = {"Authorization": f"Bearer {caller.token}"}

    def tried(operation: Any) -> None:

        @settings(
            max_examples=2, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:
            case.call_and_validate(headers=headers, checks=kept)

        check()

    with override_settings(ALLOWED_HOSTS=["localhost"]):
        schema: Any = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
        operations = [one.ok() for one in schema.get_all_operations()]
        assert len(operations) > 50
        for one in operations:
            tried(one)
