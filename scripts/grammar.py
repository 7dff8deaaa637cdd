"""Write `language/grammar.json`: the parser's tables of `language/grammar.lark`.

Another run numbers the states of the parser otherwise, so that the check compares what the tables are of: the text
of the grammar and the version of lark.

    python -m scripts.grammar            # write the tables
    python -m scripts.grammar --check    # exit 1 if the tables in the tree are of another grammar or another lark
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from trialwright.language import grammar

FILE = Path(grammar.__file__).with_name(grammar.TABLES)


def main(arguments: list[str]) -> int:
    if "--check" in arguments:
        return 0 if json.loads(FILE.read_text("utf-8"))["of"] == grammar.identity() else 1
    FILE.write_text(json.dumps(grammar.tables(), separators=(",", ":"), sort_keys=True) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
