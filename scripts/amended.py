"""A demonstration whose ledger holds an amendment too, in force nowhere yet: for the picture of the versions.

    python -m scripts.amended PORT

The amendment is invented: it asks later about a thick endometrium.
"""

from __future__ import annotations

import secrets
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from trialwright import __version__
from trialwright.cli.loading import protocol_at
from trialwright.ledger.keys import SeededKeyStore
from trialwright.ledger.vault import Vault
from trialwright.rehearsal.model import load_model
from trialwright.trial.office import Sender, register_protocol
from trialwright.web import demonstration, server
from trialwright.web.desk import Desk
from trialwright.web.settings import Options

TRIAL = Path(__file__).parent.parent / "protocols" / "nct07176143"
CHANGES = {"\nversion: 1\n": "\nversion: 2\n", "plausible: 2..16\n": "plausible: 2..20\n"}
SEED = 1


def main(port: int) -> None:
    """Serve it until told to stop."""
    with tempfile.TemporaryDirectory(prefix="trialwright-amended-") as name:
        folder = Path(name)
        protocol = protocol_at(str(TRIAL))
        model = load_model(protocol, TRIAL)
        with demonstration.rehearsed(protocol, model, str(folder / "ledger.db"), SEED, lambda _text: None) as ledger:
            day = demonstration.opens_on(model)
            by = Sender("set-up", "administrator", f"{day}T00:00:00Z")
            with ledger.writing() as writer:
                register_protocol(writer, protocol_at(str(_amended(folder))), by, __version__, str(day))
            desk = Desk(ledger, __version__, demonstration.clock_from(day, protocol.document.zone, datetime.now(UTC)))
            keys = SeededKeyStore(SEED).key
            with Vault(str(folder / "vault.db"), secrets.token_bytes(32), ledger.header.trial, keys) as vault:
                options = Options(str(folder / "accounts.db"), secrets.token_urlsafe(48), demo=True)
                application = server.set_up(desk, options, vault)
                demonstration.populate(desk, model.document.site, model.document.start)
                server.listen(application, "127.0.0.1", port, "", lambda: print("http://", flush=True))


def _amended(folder: Path) -> Path:
    there = folder / TRIAL.name
    shutil.copytree(TRIAL, there)
    text = (there / "protocol.yaml").read_text("utf-8")
    for old, new in CHANGES.items():
        if text.count(old) != 1:
            raise ValueError(f"{old.strip()} stands {text.count(old)} times in the protocol")
        text = text.replace(old, new)
    (there / "protocol.yaml").write_text(text, "utf-8")
    return there


if __name__ == "__main__":
    main(int(sys.argv[1]))
