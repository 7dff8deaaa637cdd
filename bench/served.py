"""`trialwright serve` in a process of its own, with accounts whose passwords are known; the tests kill it, too.

python -m bench.served ACCOUNTS NAME...      # makes the tables of the accounts, and an account for each name
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

PASSWORD = "a long pass phrase that nobody has"


@dataclass
class Served:
    """A running server: where it listens, and its process."""

    host: str
    port: int
    process: subprocess.Popen[str]

    def kill(self) -> None:
        """End it as a power cut would: nothing is said to it before."""
        self.process.send_signal(signal.SIGKILL)
        self._gone()

    def stop(self) -> None:
        """End it as the service manager of a machine does."""
        self.process.terminate()
        self._gone()

    def seconds(self) -> float:
        """The processor time that it has used so far."""
        told = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")

    def _gone(self) -> None:
        self.process.wait(30)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def serve(place: str | Path, accounts: str = "", port: int = 0, log: Path | None = None, **options: Any) -> Served:
    """Start it, and come back when it has its port."""
    port = port or free_port()
    command = [sys.executable, "-m", "trialwright", "serve", str(place), "--port", str(port), "--json"]
    command += ["--database", accounts] if accounts else []
    # sessions outlive the process, and so do names in a vault that lies in a database
    kept = {"TRIALWRIGHT_SECRET": "of every process", "TRIALWRIGHT_VAULT_KEY": "5a" * 32}
    environment = {**os.environ, **kept}
    with (log or Path(os.devnull)).open("a") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment, **options
        )
    assert process.stdout is not None
    told = ""
    while not told.endswith("}\n"):
        line = process.stdout.readline()
        told += line
        if line:
            continue
        process.wait(30)
        said = log.read_text()[-2000:] if log else f"exit code {process.returncode}"
        raise RuntimeError(f"the server did not start: {said}")
    if '"address"' not in told:
        raise RuntimeError(f"the server did not start: {told}")
    return Served("127.0.0.1", port, process)


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def make_accounts(accounts: str, *names: str) -> None:
    """Accounts, all with the same password, in a process of its own: Django is set up once in each."""
    subprocess.run([sys.executable, "-m", "bench.served", accounts, *names], check=True, capture_output=True, text=True)


def main(accounts: str, *names: str) -> None:
    """Migrate, and make the accounts."""
    from django.core.management import call_command

    from trialwright.ledger.vault import Vault
    from trialwright.web.desk import Desk
    from trialwright.web.settings import Options, configure

    configure(cast(Desk, None), Options(accounts, "not used for sessions"), cast(Vault, None))  # no page is made
    call_command("migrate", verbosity=0)
    from django.contrib.auth.hashers import make_password

    from trialwright.web.models import Account

    kept = make_password(PASSWORD)
    for name in names:
        Account.objects.get_or_create(username=name, defaults={"first_name": name, "password": kept})


if __name__ == "__main__":
    main(*sys.argv[1:])
