"""One profile for the laws: no deadline, since machines differ; the same examples every time where CI asks for it."""

from __future__ import annotations

import os

from hypothesis import settings

# a server on PostgreSQL has no file beside its vault: it is told its master key
os.environ.setdefault("TRIALWRIGHT_VAULT_KEY", "5a" * 32)

settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
