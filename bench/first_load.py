"""A child process: a protocol parsed and checked for the first time after the import.

python -m bench.first_load PROTOCOL    # prints milliseconds of CPU
"""

from __future__ import annotations

import sys

from bench.row import cpu_seconds
from trialwright.protocol.load import load

if __name__ == "__main__":
    print(cpu_seconds(lambda: load(sys.argv[1])) * 1e3)
