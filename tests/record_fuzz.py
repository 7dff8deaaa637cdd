"""Any bytes as a record: a study, or a refusal, never a traceback: `python -m tests.record_fuzz --inputs 100000`."""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

from trialwright.core.finding import Refused, mend, says
from trialwright.registry.as_html import record_html
from trialwright.registry.as_text import summary
from trialwright.registry.pages.lexicon import LABELS, SECTIONS
from trialwright.registry.read import read_record
from trialwright.registry.record import leaves

#: No record of this size may take longer, in seconds of the processor.
SECONDS = 2.0
_HEADINGS = [words for table in (LABELS, SECTIONS) for names in table.values() for words in names]
_VALUES = (
    "NA",
    "N/A",
    "None",
    "NONE",
    "60 participants",
    "18 Years",
    "18 Years to None",
    "FEMALE",
    "No",
    "2025-09-30",
    "June 31, 2022",
    "99/99/9999",
    "PHASE2/PHASE3",
    "NCT07176143",
    "Drug: A Drug: B",
    "Drug: ",
    "Experimental: ",
    "|",
    "---|---|---|",
    "Arm | Intervention/treatment |",
    "GroupInterventionDescription",
    "NameTimeMethod",
    "Name Time Method x 1 year Y",
    "Group Intervention Description a b c",
    "BMI [ Time Frame: 2 years",
    "[ Time Frame:",
    "]",
    "2. Age between 20 and 38 years.",
    "1" * 400,
    "Paris, , France",
    ", ,",
    "🇨🇳Nanjing, Jiangsu, China",
    "Group Type X",
    "Identifier Type: -",
    "Identifier Source: org_study_id",
    "(help sentence)",
    "\\<",
    "&#x110000;",
    "&lt;b&gt;",
    "é" * 50,
    "<script>alert(1)</script>",
    "<html><body>",
    "<td>",
    "\u202e",
    "\x00",
    "\x0b",
    "\ud800",
    "٣ سنوات",
    "²",
    "１２ Years",
)


def seeds(root: Path) -> list[bytes]:
    """Whole records to be damaged: the project's own, and those beside the repository where they are."""
    own = [path.read_bytes() for path in sorted((root / "protocols").glob("*/record.txt"))]
    shared = root.parent / "shared" / "records"
    found = [*shared.glob("pages/*.txt"), *shared.glob("ctgov/*.json"), *shared.glob("xml/*.xml")]
    return own + [path.read_bytes() for path in sorted(found) if path.stat().st_size < 50_000]


def data(dice: random.Random, whole: list[bytes]) -> bytes:
    """Noise, lines of a page in any order, a nest, or a whole record that was cut, doubled or mixed."""
    match dice.randrange(6):
        case 0:
            return dice.randbytes(dice.randint(0, 400))
        case 1:
            return _page(dice).encode("utf-8", "surrogatepass")
        case 2:
            return _nest(dice)
        case _:
            return _damaged(dice, whole)


def _page(dice: random.Random) -> str:
    lines = []
    for _ in range(dice.randint(1, 40)):
        word = dice.choice(_HEADINGS)
        head = dice.choice(
            (word.title(), word.upper(), f"- {word.title()}", f"## {word.title()}", f"**{word.title()}:**")
        )
        value = dice.choice(_VALUES)
        lines.append(
            dice.choice((head, f"{head}: {value}", f"{head} | {value} |", value, f"{value} {value}", "", f"- {value}"))
        )
    return "\n".join(lines)


def _nest(dice: random.Random) -> bytes:
    depth = dice.choice((3, 99, 100_000))
    match dice.randrange(4):
        case 0:
            return b"[" * depth
        case 1:
            return b'{"protocolSection":' * depth
        case 2:
            return b"<clinical_study>" + b"<a>" * depth + b"</a>" * depth + b"</clinical_study>"
        case _:
            words = json.dumps(
                {"protocolSection": {"eligibilityModule": {"eligibilityCriteria": dice.choice(_VALUES) * depth}}}
            )
            return words.encode("utf-8", "surrogatepass")


def _damaged(dice: random.Random, whole: list[bytes]) -> bytes:
    text = bytearray(dice.choice(whole))
    for _ in range(dice.randint(1, 6)):
        place = dice.randrange(len(text) + 1)
        match dice.randrange(5):
            case 0:
                del text[place : place + dice.randint(1, 400)]
            case 1:
                text[place:place] = dice.choice(_VALUES).encode("utf-8", "surrogatepass")
            case 2:
                text[place : place + 1] = bytes([dice.randrange(256)])
            case 3:
                text[place:place] = text[place : place + dice.randint(1, 2000)]
            case _:
                other = dice.choice(whole)
                start = dice.randrange(len(other))
                text[place:place] = other[start : start + 1500]
    return bytes(text)


def try_one(given: bytes) -> str:
    """What becomes of it; anything but a record or a refusal raises."""
    started = time.process_time()
    try:
        record = read_record(given, "fuzz")
    except Refused as refused:
        if not all(says(one) and mend(one) for one in refused.findings):
            raise AssertionError("a refusal without its sentences") from None
        return "refused"
    json.dumps(record.study, ensure_ascii=False).encode("utf-8")
    assert "<script>alert" not in record_html(record)
    assert summary(record)
    assert all(says(one) and mend(one) for one in record.findings)
    if record.form == "page":
        assert {pointer for pointer, _ in leaves(record.study)} == set(record.places)
    seconds = time.process_time() - started
    assert seconds < SECONDS, f"{seconds:.1f} s for {len(given)} bytes"
    return record.form


def run(inputs: int, seed: int, root: Path) -> Counter[str]:
    """How many inputs became what; the bytes that broke something are kept in the error."""
    dice, whole = random.Random(seed), seeds(root)
    counts: Counter[str] = Counter()
    for number in range(inputs):
        given = data(dice, whole)
        try:
            counts[try_one(given)] += 1
        except Exception as wrong:  # whatever it is, it is what a fuzz looks for: raised again, with the bytes
            raise AssertionError(f"input {number} of seed {seed}: {given[:3000]!r}") from wrong
    return counts


def main() -> int:
    """Run the number of inputs that was asked for, and say what became of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.monotonic()
    counts = run(options.inputs, options.seed, Path(__file__).parents[1])
    told = ", ".join(f"{count} {what}" for what, count in counts.most_common())
    sys.stdout.write(f"{options.inputs} inputs: {told}, {time.monotonic() - started:.0f} s\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
