"""The client of the registry: what a local server answers, when it is asked again, and what is said offline."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.unit.registry_data import RECORDS, with_records
from trialwright.cli import configuration
from trialwright.cli.main import main
from trialwright.core.finding import Refused
from trialwright.registry.fetch import HOST, fetch


@contextmanager
def server(*answers: int | float, header: str = "") -> Iterator[tuple[str, list[str]]]:
    """A registry on this machine: a status for each question, or seconds of silence; then the recorded study."""
    asked: list[str] = []
    left = list(answers)

    class Registry(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            answer = left.pop(0) if left else 200
            if isinstance(answer, float):
                time.sleep(answer)
                return
            number = self.path.split("/")[-1].split("?")[0]
            file = RECORDS / "ctgov" / f"{number}.json"
            status = 404 if answer == 200 and not file.exists() else answer
            body = file.read_bytes() if status == 200 else b"no"
            self.send_response(status)
            if header:
                self.send_header("Retry-After", header)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: object) -> None:
            """Nothing on the error stream."""

    here = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    here.daemon_threads = False  # so that closing waits for an answer that comes too late
    thread = threading.Thread(target=here.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{here.server_port}/api/v2", asked
    finally:
        here.shutdown()
        here.server_close()
        thread.join()


@with_records
def test_a_recorded_study_comes_as_it_is() -> None:
    with server() as (host, asked):
        data = fetch("NCT03630471", host)
    assert json.loads(data) == json.loads((RECORDS / "ctgov" / "NCT03630471.json").read_bytes())
    assert asked == ["/api/v2/studies/NCT03630471?format=json"]


#: Answers before the study, pauses between the tries, how many were asked, what is refused.
@with_records
@pytest.mark.parametrize(
    ("answers", "header", "pauses", "tries", "refused"),
    [
        ([503], "", [1.0], 2, ""),
        ([503, 500], "", [1.0, 2.0], 3, ""),
        ([429], "7", [7.0], 2, ""),
        ([429], "900", [30.0], 2, ""),
        ([503, 503, 503], "", [1.0, 2.0], 3, "record_not_fetched"),
        ([400], "", [], 1, "record_not_fetched"),
        ([404], "", [], 1, "record_number_unknown"),
        ([0.6], "", [1.0], 2, ""),
    ],
)
def test_a_busy_registry_is_asked_again_and_a_clear_no_is_not(
    answers: list[int | float], header: str, pauses: list[float], tries: int, refused: str
) -> None:
    waited: list[float] = []
    with server(*answers, header=header) as (host, asked):
        if refused:
            with pytest.raises(Refused) as told:
                fetch("NCT03630471", host, seconds=0.3, wait=waited.append)
            assert [one.code for one in told.value.findings] == [refused]
        else:
            assert fetch("NCT03630471", host, seconds=0.3, wait=waited.append).startswith(b"{")
    assert (waited, len(asked)) == (pauses, tries)


def test_offline_the_refusal_says_whom_it_asked_and_why() -> None:
    with server() as (host, _):
        gone = host
    with pytest.raises(Refused) as told:
        fetch("NCT00000001", gone, wait=list[float]().append)
    assert "127.0.0.1" in str(told.value)
    assert "refused" in str(told.value)


@pytest.mark.parametrize(("number", "host"), [("NCT1", HOST), ("../x", HOST), ("NCT00000001", "file:///etc")])
def test_only_a_number_is_asked_for_and_only_over_http(number: str, host: str) -> None:
    with pytest.raises(Refused):
        fetch(number, host)


def test_by_default_the_registry_itself_is_asked() -> None:
    assert HOST == "https://clinicaltrials.gov/api/v2"


@with_records
def test_the_verb_fetches_and_reads(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    configuration.start("")
    with server() as (host, _):
        monkeypatch.setenv("TRIALWRIGHT_REGISTRY", host)
        assert main(["read", "nct03630471", "--fetch", "--json"]) == 0
        study = json.loads(capsys.readouterr().out)
        assert study["protocolSection"]["identificationModule"]["nctId"] == "NCT03630471"
        assert main(["read", "NCT99999999", "--fetch"]) == 2
        assert "no record NCT99999999" in capsys.readouterr().err
