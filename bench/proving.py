"""A child process: what can be said of a protocol with no participant, after the import.

python -m bench.proving PROTOCOL    # prints the seconds that proving takes
"""

from __future__ import annotations

import gc
import sys

from bench.row import seconds
from trialwright.cli.loading import protocol_at
from trialwright.cli.main import GARBAGE
from trialwright.protocol.prove import prove

if __name__ == "__main__":
    gc.set_threshold(GARBAGE)  # as every verb does
    protocol = protocol_at(sys.argv[1])
    print(seconds(lambda: prove(protocol)))
