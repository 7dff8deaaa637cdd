"""The tutorial executes: every command in it is run in a folder of its own, and prints what the page shows."""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from scripts.docs import ROOT

from tests.docs.examples import agrees, blocks, run

PAGE = ROOT / "docs" / "tutorial.md"


def test_the_tutorial_executes(tmp_path: Path) -> None:
    verbs = set()
    for _, steps in run(PAGE, tmp_path):
        for step in steps:
            assert agrees(step.expected, step.printed), f"{step.command}\n{step.printed}"
            verbs.add(step.command.split()[1])
    assert verbs >= {
        "read", "draft", "check", "coverage", "screen", "rehearse", "why", "design", "report", "verify"
    }  # fmt: skip


def test_the_server_of_the_tutorial_answers() -> None:
    (command,) = [one.text.strip() for one in blocks(PAGE) if one.language == "sh" and " serve " in one.text]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    words = [sys.executable, "-m", *shlex.split(command), "--port", port, "--json"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = json.loads("".join(iter(server.stdout.readline, "}\n")) + "}")["address"]
            with urllib.request.urlopen(f"{address}health", timeout=30) as answer:
                assert json.load(answer)["kind"] == "virtual"
        finally:
            server.terminate()
