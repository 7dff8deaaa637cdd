"""The process: accounts migrated, Django set up, waitress listening, and one thread that makes stale lines anew."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from trialwright.core.finding import Refused, finding
from trialwright.ledger.vault import Vault
from trialwright.web.desk import Desk
from trialwright.web.erasures import carry_out
from trialwright.web.settings import Options, configure

#: How many requests are answered at once.
THREADS = 8
#: The largest request that is taken, in bytes: a spreadsheet of the size that is read, and its form.
LARGEST = 8_000_000


def set_up(desk: Desk, options: Options, vault: Vault) -> Any:
    """The WSGI application; the tables of the accounts are made, or brought to this version.

    Whoever is erased in the ledger is erased in the vault again, where that was restored from an older backup.
    """
    configure(desk, options, vault)
    carry_out(desk.trial(), vault)
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from django.db import Error

    try:
        call_command("migrate", verbosity=0, interactive=False)
    except Error as wrong:
        raise Refused(finding("web_accounts_missing", place=_without_password(options.accounts), why=wrong)) from wrong
    return get_wsgi_application()


def listen(application: Any, host: str, port: int, proxy: str, ready: Callable[[], None]) -> None:
    """Serve until interrupted; `proxy` is the address whose forwarded headers are believed, or nothing."""
    from trialwright.web import lines
    from trialwright.web.guard import desk

    server, stop = bound(application, host, port, proxy), threading.Event()
    reader = threading.Thread(target=lines.keep_up, args=(desk(), stop), name="lines", daemon=True)
    reader.start()
    ready()
    with suppress(KeyboardInterrupt):
        server.run()
    stop.set()
    server.close()
    reader.join()


def bound(application: Any, host: str, port: int, proxy: str) -> Any:
    """A server that has its port and does not answer yet."""
    from waitress.server import create_server

    believed: dict[str, Any] = {}
    if proxy:
        believed = {
            "trusted_proxy": proxy,
            "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"},
            "trusted_proxy_count": 1,
        }
    try:
        return create_server(
            application,
            host=host,
            port=port,
            threads=THREADS,
            ident="trialwright",
            clear_untrusted_proxy_headers=True,
            max_request_body_size=LARGEST,
            **believed,
        )
    except OSError as wrong:
        why = wrong.strerror or str(wrong)
        raise Refused(finding("web_port_taken", host=host, port=port, why=why)) from wrong


def secret_beside(place: str, ledger: str) -> str:
    """The secret that signs sessions: kept beside a ledger that is a file, else from `TRIALWRIGHT_SECRET`."""
    given = os.environ.get("TRIALWRIGHT_SECRET", "")
    if given:
        return given
    if "://" in ledger or "://" in place:
        return secrets.token_urlsafe(48)  # sessions end with the process
    file = Path(f"{place}.secret")
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            handle.write(secrets.token_urlsafe(48))
    return file.read_text("utf-8")


def _without_password(place: str) -> str:
    head, at, tail = place.rpartition("@")
    return f"{head.partition('://')[0]}://…@{tail}" if at else place
