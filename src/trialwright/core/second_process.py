"""A second process that loads slow libraries while the first one reads, and then works with them for it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import IO, Any, ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")

#: To and from the second process that is open here; none in other threads.
_SECOND: ContextVar[tuple[IO[bytes], IO[bytes]] | None] = ContextVar("second_process", default=None)


@contextmanager
def second_process(*modules: str) -> Iterator[None]:
    """While this is open, what is put `aside` runs in a second process, which loads `modules` meanwhile.

    There is none where the machine has one core, where `modules` are loaded here already, or where the system gives
    no process: then everything runs here.
    """
    if os.cpu_count() == 1 or sys.modules.keys() >= set(modules):
        yield
        return
    try:
        second = _started(modules)
    except OSError:
        yield
        return
    assert second.stdin is not None, "a pipe"
    assert second.stdout is not None, "a pipe"
    before = _SECOND.set((second.stdin, second.stdout))
    try:
        yield
    finally:
        _SECOND.reset(before)
        second.kill()
        second.communicate()


def aside(function: Callable[_Given, _Made], *given: _Given.args, **named: _Given.kwargs) -> _Made:
    """What `function` returns, worked out by the second process where one is open, and here where there is none.

    A `ValueError` comes back as if raised here. Where the second process ends before it has answered, the same is
    worked out here. Function, arguments and result go through pickle.

    >>> aside(max, 3, 4)
    4
    """
    second = _SECOND.get()
    if second is None:
        return function(*given, **named)
    to, back = second
    try:
        pickle.dump((function, given, named), to)
        to.flush()
        refused, made = pickle.load(back)
    except (EOFError, OSError, pickle.UnpicklingError):
        _SECOND.set(None)
        return function(*given, **named)
    if refused is not None:
        raise refused
    return made  # type: ignore[no-any-return]  # what comes out of pickle is what `function` made there


def _started(modules: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """In a session of its own, so that Ctrl-C reaches the first process alone; it imports from where this one does."""
    return subprocess.Popen(
        (sys.executable, "-P", "-m", __name__, *modules),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def serve(asked: IO[bytes], answers: IO[bytes], modules: list[str]) -> None:
    """What the second process does: load, then answer until the first one closes its end."""
    for name in modules:
        import_module(name)
    while True:
        try:
            function, given, named = pickle.load(asked)
        except EOFError:
            return
        try:
            answer: tuple[Any, Any] = (None, function(*given, **named))
        except ValueError as refused:
            answer = (refused, None)
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # what a library prints is no answer
        serve(sys.stdin.buffer, answers, sys.argv[1:])
