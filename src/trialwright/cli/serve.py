"""`trialwright serve LEDGER`: the trial in a browser; `--demo` for a rehearsed one."""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from trialwright import __version__
from trialwright.cli import configuration, output
from trialwright.cli.loading import protocol_at
from trialwright.core.finding import Refused, finding

if TYPE_CHECKING:
    from trialwright.ledger.store import Ledger
    from trialwright.ledger.vault import Vault
    from trialwright.web.desk import Desk
    from trialwright.web.settings import Options

_NEEDED = ("django", "django_htmx", "axes", "whitenoise", "waitress", "argon2", "pyotp", "segno", "ninja")
_DEMO = "protocols/nct07176143"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("ledger", nargs="?", default="", help="the ledger: a file, or postgresql://...")
    add = parser.add_argument
    add("--demo", action="store_true", help="rehearse a trial, and look at it as anybody; nothing is kept")
    new = "a version for the ledger, which is made where there is none; with --demo, the trial to rehearse"
    add("--protocol", metavar="FOLDER", default="", help=f"{new} (default: {_DEMO})")
    accounts = "where accounts are kept: a file, or postgresql://... (default: beside the ledger)"
    add("--database", metavar="PLACE", default="", help=accounts)
    vault = "where names and free text are kept: a file, or postgresql://... (default: beside the accounts)"
    add("--vault", metavar="PLACE", default="", help=vault)
    key = "file of the vault's master key, of its owner alone (default: TRIALWRIGHT_VAULT_KEY, else beside the vault)"
    add("--vault-key", metavar="FILE", default="", help=key)
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    public = "how people reach it through a proxy, as https://trial.example.org"
    add("--public", metavar="URL", default="", help=public)
    add("--proxy", metavar="ADDRESS", default="", help="address of the proxy, whose headers are believed")
    add(
        "--day", type=int, default=213, help="with --demo: the day of the trial that it opens on (default: %(default)s)"
    )
    add("--seed", type=int, default=1, help="with --demo: seed of all chance (default: %(default)s)")


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise Refused(finding("web_not_installed", module=", ".join(missing)))
    if not options.ledger and not options.demo:
        raise Refused(finding("web_nothing_to_serve"))
    with _terminated_as_interrupted():
        if options.demo:
            with tempfile.TemporaryDirectory(prefix="trialwright-demo-") as folder:
                _demonstrate(options, Path(folder))
        else:
            _serve(options)
    return 0


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """While it serves, SIGTERM of a container or of the machine's service manager ends it as a person's Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _demonstrate(options: argparse.Namespace, folder: Path) -> None:
    from trialwright.ledger.vault import Vault
    from trialwright.rehearsal.model import load_model
    from trialwright.web import demonstration, server
    from trialwright.web.desk import Desk

    where = options.protocol or _DEMO
    protocol = protocol_at(where)
    model = load_model(protocol, Path(where))
    place = str(folder / "ledger.db")
    with demonstration.rehearsed(protocol, model, place, options.seed, output.progress, options.day) as ledger:
        output.progress("")
        day = demonstration.opens_on(model, options.day)
        desk = Desk(ledger, __version__, demonstration.clock_from(day, protocol.document.zone, datetime.now(UTC)))
        with Vault(str(folder / "vault.db"), secrets.token_bytes(32), ledger.header.trial, _keys_of(ledger)) as vault:
            application = server.set_up(desk, _options(options, str(folder / "accounts.db"), place), vault)
            demonstration.name_everybody(desk, vault)
            demonstration.populate(desk, model.document.site, model.document.start)
            demonstration.report_an_event(desk)
            _listen(options, application, desk, f"{ledger.header.trial}, virtual, as on {day}; nothing is kept")


def _serve(options: argparse.Namespace) -> None:
    from trialwright.web import server
    from trialwright.web.desk import Desk

    with _ledger(options) as ledger, _vault(options, ledger) as vault:
        desk = Desk(ledger, __version__, lambda: datetime.now(UTC))
        accounts = options.database or (options.ledger if "://" in options.ledger else f"{options.ledger}.accounts")
        application = server.set_up(desk, _options(options, accounts, options.ledger), vault)
        _listen(options, application, desk, f"{ledger.header.trial}, {ledger.header.kind}")


def _vault(options: argparse.Namespace, ledger: Ledger) -> Vault:
    """The vault that was named, or the one beside the accounts: in the same database, or a file of its own."""
    from trialwright.ledger.vault import Vault
    from trialwright.ledger.vault_tables import master_key

    accounts = options.database or options.ledger
    beside = accounts if "://" in accounts else f"{accounts.removesuffix('.accounts')}.vault"
    place = options.vault or beside
    return Vault(place, master_key(place, options.vault_key, os.environ), ledger.header.trial, _keys_of(ledger))


def _keys_of(ledger: Ledger) -> Callable[[str], bytes | None]:
    """How the key of a participant is first made: at random, or as the rehearsal made it that wrote the ledger."""
    from trialwright.ledger.keys import SeededKeyStore
    from trialwright.ledger.vault import random_key

    seed = ledger.header.seed
    return random_key if seed is None else SeededKeyStore(seed).key


@contextlib.contextmanager
def _ledger(options: argparse.Namespace) -> Iterator[Ledger]:
    """The ledger that is there, or a new one of a real trial; the protocol that was named is a version in it."""
    from trialwright.ledger.store import Header, create, open_ledger
    from trialwright.trial.office import Sender, register_protocol

    if not options.protocol:
        with open_ledger(options.ledger) as ledger:
            yield ledger
        return
    protocol = protocol_at(options.protocol)
    try:
        ledger = open_ledger(options.ledger)
    except Refused as refused:
        if not {one.code for one in refused.findings} <= {"ledger_missing", "ledger_foreign"}:
            raise
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        header = Header("real", protocol.document.trial, protocol.digest, __version__, None, "")
        ledger = create(options.ledger, header, at)
    with ledger:
        if ledger.header.trial != protocol.document.trial:
            here, held = protocol.document.trial, ledger.header.trial
            raise Refused(finding("protocol_of_another_trial", trial=here, place=ledger.place, held=held))
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with ledger.writing() as writer:  # once: the same version again writes nothing
            register_protocol(writer, protocol, Sender("set-up", "administrator", at), __version__, at[:10])
        yield ledger


def _options(options: argparse.Namespace, accounts: str, ledger: str) -> Options:
    from urllib.parse import urlsplit

    from trialwright.web.server import secret_beside
    from trialwright.web.settings import Options

    public = urlsplit(options.public)
    if options.public and (public.scheme not in ("http", "https") or not public.hostname):
        expected = "an address as https://trial.example.org"
        raise Refused(finding("option_wrong", option="--public", given=options.public, expected=expected))
    hosts = ("localhost", "127.0.0.1", "[::1]", options.host, *((public.hostname,) if public.hostname else ()))
    origins = (f"{public.scheme}://{public.netloc}",) if options.public else ()
    secret = secret_beside(accounts, ledger)
    return Options(accounts, secret, hosts, origins, https=public.scheme == "https", demo=options.demo)


def _listen(options: argparse.Namespace, application: object, desk: Desk, what: str) -> None:
    from trialwright.web import server

    def ready() -> None:
        from trialwright.web.models import Account
        from trialwright.web.pages.signing_in import SET_UP_CODE

        address = options.public or f"http://{options.host}:{options.port}/"
        first = not Account.objects.exists()
        if options.json:
            header, events = desk.ledger.header, desk.ledger.last()
            told = {"address": address, "trial": header.trial, "kind": header.kind, "events": events}
            output.emit({**told, "set_up_code": SET_UP_CODE if first else None})
            sys.stdout.flush()
            return
        print(f"{what}\n  {address}", flush=True)
        if first:
            print(
                f"  no account yet: make the first one at {address.rstrip('/')}/set-up with the code {SET_UP_CODE}",
                flush=True,
            )

    configuration.log("serving", trial=desk.ledger.header.trial, events=desk.ledger.last())
    server.listen(application, options.host, options.port, options.proxy, ready)
