"""A second process gives what the first would have given, and its end costs nothing but time."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from trialwright.core.second_process import aside, second_process, serve

#: A module that no test loads, so that a second process is worth while.
UNUSED = "tabnanny"


def _place() -> int:
    return os.getpid()


def _half(number: int, *, of: str) -> str:
    if number % 2:
        raise ValueError(f"{number} {of} cannot be halved")
    return f"{number // 2} {of}"


def _gone_unless(process: int) -> int:
    if os.getpid() != process:
        os._exit(3)
    return process


def _prints(text: str) -> str:
    print(text, flush=True)  # noqa: T201  # as a library may, whose print must not pass for an answer
    return text


def test_what_is_put_aside_runs_in_one_other_process_until_it_is_closed() -> None:
    assert aside(_place) == os.getpid()
    with second_process(UNUSED):
        first = aside(_place)
        assert first != os.getpid()
        assert aside(_place) == first
        assert aside(_half, 12, of="women") == "6 women"
    assert aside(_place) == os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


def test_a_refusal_comes_back_and_the_next_is_answered() -> None:
    with second_process(UNUSED):
        with pytest.raises(ValueError, match="3 women cannot be halved"):
            aside(_half, 3, of="women")
        assert aside(_half, 4, of="women") == "2 women"


def test_where_the_second_process_is_lost_the_rest_runs_here() -> None:
    with second_process(UNUSED):
        assert aside(_gone_unless, os.getpid()) == os.getpid()
        assert aside(_place) == os.getpid()


def test_ctrl_c_is_for_the_first_process_alone() -> None:
    with second_process(UNUSED):
        assert aside(os.getpgrp) != os.getpgrp(), "a terminal interrupts the group in front"


def test_another_thread_works_for_itself() -> None:
    seen: list[int] = []
    with second_process(UNUSED):
        other = threading.Thread(target=lambda: seen.append(aside(_place)))
        other.start()
        other.join()
    assert seen == [os.getpid()]


def test_there_is_none_with_one_core_or_with_everything_loaded_or_where_the_system_gives_no_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with second_process("json", "os"):
        assert aside(_place) == os.getpid()
    with monkeypatch.context() as small:
        small.setattr(os, "cpu_count", lambda: 1)
        with second_process(UNUSED):
            assert aside(_place) == os.getpid()

    def full(*_: Any, **__: Any) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", full)
    with second_process(UNUSED):
        assert aside(_place) == os.getpid()


def test_it_answers_until_the_first_process_has_gone() -> None:
    asked, answers = io.BytesIO(), io.BytesIO()
    for number in (8, 7):
        pickle.dump((_half, (number,), {"of": "women"}), asked)
    asked.seek(0)
    serve(asked, answers, ["json"])
    answers.seek(0)
    assert pickle.load(answers) == (None, "4 women")
    refused, made = pickle.load(answers)
    assert (str(refused), made) == ("7 women cannot be halved", None)


def test_what_a_library_prints_is_no_answer(capfd: pytest.CaptureFixture[str]) -> None:
    with second_process(UNUSED):
        assert aside(_prints, "a warning") == "a warning"
    assert capfd.readouterr() == ("", "a warning\n")


def test_a_script_that_calls_a_verb_runs_once(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import os\n"
        "from trialwright.core.second_process import aside, second_process\n"
        "print('once', flush=True)\n"
        f"with second_process({UNUSED!r}):\n"
        "    print(aside(os.getpid) != os.getpid())\n"
    )
    said = subprocess.run((sys.executable, str(script)), capture_output=True, text=True, check=True)
    assert (said.stdout, said.stderr) == ("once\nTrue\n", "")
