"""The one configuration file, and the log that it asks for.

`trialwright.toml` beside where the command is run, or the file named with `--config`:

    language = "en"        # of findings: "en" or "zh"
    [log]
    level = "warning"      # debug, info, warning, error
    file = ""              # empty: the error stream

The log is structured and holds no participant data: verbs, counts, durations and digests only.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from trialwright.core.finding import Finding, Refused, finding, languages, text, unreadable

FILE = "trialwright.toml"
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the configuration file says."""

    language: str = "en"
    log_level: str = "warning"
    log_file: str = ""


_current = [Configuration()]
_stream = [sys.stderr]  # of the log


def current() -> Configuration:
    """The configuration of this run of the command."""
    return _current[0]


def start(path: str) -> None:
    """Read the configuration file and set up the log; `Refused` says what is wrong with it."""
    _current[0] = Configuration()
    _current[0] = _read(path)
    if current().log_file or current().log_level in ("info", "debug"):
        _set_up_log(current())


def _read(path: str) -> Configuration:
    file = Path(path or FILE)
    if not file.is_file():
        if path:
            raise Refused(finding("file_missing", path=path))
        return Configuration()
    try:
        data = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as wrong:
        raise Refused(finding("configuration_wrong", path=file, why=wrong)) from wrong
    log = data.pop("log", {})
    for key in data:
        if key != "language":
            raise Refused(finding("configuration_wrong", path=file, why=f"`{key}` is not a setting"))
    if not isinstance(log, dict) or set(log) - {"level", "file"} or str(log.get("level", "warning")) not in _LEVELS:
        raise Refused(finding("configuration_wrong", path=file, why="[log] takes `level` and `file`"))
    if data.get("language", "en") not in languages():
        why = f"`language` is one of {', '.join(languages())}"
        raise Refused(finding("configuration_wrong", path=file, why=why))
    return Configuration(data.get("language", "en"), str(log.get("level", "warning")), str(log.get("file", "")))


def _set_up_log(configuration: Configuration) -> None:
    file = configuration.log_file
    try:  # the log stays open for as long as the command runs
        stream = Path(file).open("a", encoding="utf-8") if file else sys.stderr  # noqa: SIM115
    except OSError as wrong:
        _write_to(sys.stderr)
        raise Refused(_unwritable(wrong)) from wrong
    _write_to(stream)


def _write_to(stream: TextIO) -> None:
    import structlog

    _stream[0] = stream
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[current().log_level]),
        logger_factory=structlog.PrintLoggerFactory(stream),
    )


def _unwritable(wrong: OSError) -> Finding:
    return finding("log_unwritable", path=current().log_file, why=unreadable(wrong))


def log(event: str, **values: object) -> None:
    """Write one line of the log, where one is kept: what happened and how it went, never about a participant.

    A file that takes no line any more is told on the error stream, and the line goes there.
    """
    if current().log_file or current().log_level in ("info", "debug"):
        import structlog

        try:
            structlog.get_logger().info(event, **values)
        except OSError as wrong:
            print(f"trialwright: {text(_unwritable(wrong))}", file=sys.stderr)
            with contextlib.suppress(OSError):  # it fails again at what waits to be written
                _stream[0].close()
            _write_to(sys.stderr)
            structlog.get_logger().info(event, **values)
