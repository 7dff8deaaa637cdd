"""A child process: the criteria of a protocol as one Ibis expression, and that as SQL, after the import.

python -m bench.compiling PROTOCOL    # prints the seconds of both
"""

from __future__ import annotations

import gc
import sys

import ibis

from bench.row import seconds
from trialwright.cli.loading import protocol_at
from trialwright.cli.main import GARBAGE
from trialwright.language.compile import compile_criteria
from trialwright.language.compiling.loading import source_from_facts


def measure(place: str) -> tuple[float, float]:
    """The first of each in this process, over tables in which nobody is."""
    protocol = protocol_at(place)
    criteria = [(one.name, one.kind, one.rule) for one in protocol.criteria]
    source = source_from_facts(ibis.duckdb.connect(), protocol.vocabulary, {})
    ibis.options.sql.fuse_selects = False  # as in `answers_of`
    written = seconds(lambda: compile_criteria(criteria, source))
    expression = compile_criteria(criteria, source)
    return written, seconds(lambda: ibis.to_sql(expression, dialect="duckdb"))


if __name__ == "__main__":
    gc.set_threshold(GARBAGE)  # as every verb does
    print(*measure(sys.argv[1]))
