"""A centre for tests in a real browser: `trialwright serve` in a process of its own, and people who can sign in."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.unit.desk import SMALL
from tests.web.test_story import PASSWORD, Person, Served

__all__ = ["PASSWORD", "Person", "Served", "people", "serving"]


@contextmanager
def serving(place: str, log: Path, *words: str) -> Iterator[Served]:
    """A new real trial, served as long as it is needed; what the server prints goes into a file."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "trialwright", "serve", place, "--protocol", str(SMALL), "--port", str(port)]
    with log.open("w") as printed:
        process = subprocess.Popen([*command, *words], stdout=printed, stderr=subprocess.STDOUT)
    address = f"http://localhost:{port}"  # by this name passkeys work without TLS
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{address}/health", timeout=5)
                break
            except OSError:
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
        code = re.search(r"code (\w+)", log.read_text())
        yield Served(address, place, code[1] if code else "")
    finally:
        process.terminate()
        assert process.wait(10) == 0


def people(
    browser: Any, served: Served, roles: Mapping[str, str], elsewhere: Mapping[str, Any] | None = None
) -> dict[str, Person]:
    """The administrator, and somebody for each role, all of them signed in; `elsewhere` is who has her own browser."""
    admin = Person(browser, served)
    told = {"code": served.code, "username": "admin", "name": "The Administrator", "password": PASSWORD}
    admin.sends("/set-up", **told)
    admin.sends("/sign-in", username="admin", password=PASSWORD)
    found = {"admin": admin}
    today = str(datetime.now(ZoneInfo("Asia/Shanghai")).date())
    for name, role in roles.items():
        person = found[name] = Person((elsewhere or {}).get(name, browser), served)
        first = re.search(r"sign in once with (\S+),", admin.sends("/people/new", username=name, name=name.title()))
        assert first is not None
        given = {"user": name, "role": role, "site": "S01", "begins": today, "training": "GCP 2026", "on": today}
        admin.sends("/order/delegate", **given, form=f"delegation of {name}", back="/people")
        person.sends("/sign-in", username=name, password=first[1])
        assert "Sign out" in person.sends("/password", new_password1=PASSWORD, new_password2=PASSWORD)
    return found
