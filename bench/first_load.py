"""A child process: a protocol parsed and checked for the first time after the import.

python -m bench.first_load PROTOCOL    # prints milliseconds of CPU
"""

from __future__ import annotations

import gc
import sys

from bench.row import cpu_seconds
from trialwright.cli.main import GARBAGE
from trialwright.protocol.load import load

if __name__ == "__main__":
    gc.set_threshold(GARBAGE)  # as every verb does
    print(cpu_seconds(lambda: load(sys.argv[1])) * 1e3)
