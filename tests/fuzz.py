"""Any text into the parser is an expression or a finding: `python -m tests.fuzz --inputs 1000000`."""

from __future__ import annotations

import argparse
import random
import sys
import time

from trialwright.core.finding import Finding, mend, says
from trialwright.language import nodes as n
from trialwright.language.parse import parse

_PIECES = (
    *n.RESERVED, *n.FUNCTIONS, "outside", "normal", "before", "after", "afc", "embryo", "date", "yes", "5", "1.10",
    "1e6",
    "-", "+", "*", "/", "^", "<", "<=", "=", "!=", "..", ".", ",", "(", ")", "{", "}", "[IU]/L", "10*9/L", "kg/m2", "%",
    "months", "years", "2026-03-09", '"ASC-US"', '"', " ", "  ", "\n", "\t", "é", "≥", "\x00", "100/n", "\\", "#",
)  # fmt: skip
_WHOLE = (
    "latest(fsh on cycle_day 2..4) in 1..10 [IU]/L",
    "count(embryo where day in {5, 6} and good_gardner) >= 2",
    "1e6 /kg * weight at infusion",
    "share(embryo where pronuclei = 2 satisfies transferable)",
    "hiv_antibody within 6 months = negative and not (amh < 1.10 ng/mL) at infusion",
)


def text(dice: random.Random) -> str:
    """A text: pieces of the language in any order, or a real expression with some of it cut, doubled or replaced."""
    if dice.random() < 0.5:
        return dice.choice(("", " ")).join(dice.choices(_PIECES, k=dice.randint(0, 14)))
    characters = list(dice.choice(_WHOLE))
    for _ in range(dice.randint(1, 5)):
        place = dice.randrange(len(characters))
        match dice.randrange(3):
            case 0:
                del characters[place : place + dice.randint(1, 6)]
            case 1:
                characters[place:place] = dice.choice(_PIECES)
            case _:
                characters[place] = chr(dice.choice((dice.randrange(32, 127), dice.randrange(0x2FFF))))
        if not characters:
            break
    return "".join(characters)


def run(inputs: int, seed: int) -> tuple[int, int]:
    """How many texts were expressions and how many findings; anything else raises."""
    dice = random.Random(seed)
    expressions = 0
    for _ in range(inputs):
        found = parse(text(dice))
        if isinstance(found, Finding):
            assert says(found)
            assert mend(found)
        else:
            expressions += 1
    return expressions, inputs - expressions


def main() -> int:
    """Run the number of inputs that was asked for, and say what became of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.monotonic()
    expressions, findings = run(options.inputs, options.seed)
    seconds = time.monotonic() - started
    sys.stdout.write(f"{options.inputs} texts: {expressions} expressions, {findings} findings, {seconds:.0f} s\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
