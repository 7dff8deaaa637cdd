"""What came of it: pregnancies by every definition side by side, children, and results that came too late."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from trialwright.core.truth import Truth
from trialwright.protocol.protocol import label
from trialwright.render.table import Column
from trialwright.report.board import Board, arm_name
from trialwright.report.board_tables import lines, paragraphs, tabled
from trialwright.report.numbers import plural, whole, words
from trialwright.views.custody_trail import Afterwards
from trialwright.views.cutoff import ALL
from trialwright.views.pregnancies import LabelRow, side_by_side

#: What definitions call by names of their own, in one line.
_ALIKE = {
    "clinical pregnancy": "clinical pregnancy; viable; with heartbeat",
    "viable intrauterine pregnancy": "clinical pregnancy; viable; with heartbeat",
    "clinical pregnancy with heartbeat": "clinical pregnancy; viable; with heartbeat",
    "induced abortion": "induced abortion; termination",
    "termination of pregnancy": "induced abortion; termination",
}
_ANSWERS = {Truth.YES: "yes", Truth.NO: "no", Truth.UNKNOWN: "unknown"}


def pregnancies(board: Board) -> str:
    """What became of the transfers: outcome by outcome, arm below arm, a column per definition."""
    mine = {arm: [row for row in board.transfers if arm in (ALL, row.arm)] for arm in board.arms}
    found = {arm: side_by_side(rows) for arm, rows in mine.items() if rows}
    if not found:
        return paragraphs(f"No transfer is recorded by {board.cut.today}.")
    every = [row for rows in found.values() for row in rows]
    definitions = list(dict.fromkeys(row.definition for row in every))
    groups: dict[str, list[LabelRow]] = {}
    for row in every:
        groups.setdefault(_ALIKE.get(row.name, row.name), []).append(row)
    seen = {name: rows for name, rows in groups.items() if any(row.yes for row in rows)}
    columns = [
        Column("name", "Outcome"),
        Column("arm", "Arm"),
        *(Column(one, one[:1].upper() + one[1:], "right") for one in definitions),
    ]
    cells = []
    for name in seen:
        for place, (arm, rows) in enumerate(found.items()):
            at = {row.definition: row for row in rows if _ALIKE.get(row.name, row.name) == name}
            cell: dict[str, object] = {"name": "" if place else name, "arm": arm_name(board, arm)}
            cells.append(cell | {str(one): _counted(at.get(one)) for one in definitions})
    sizes = "; ".join(
        f"{arm_name(board, arm)}: {plural(len(rows), 'transfer')} of "
        f"{plural(len({row.participant for row in rows}), 'woman', 'women')}"
        for arm, rows in mine.items()
    )
    notes = [
        f"{sizes}. Transfers with the outcome / all transfers of the arm; ? those of which it is not known. Unit: the "
        "transfer. An empty cell: the definition has no such word.",
        *_none({name: rows for name, rows in groups.items() if name not in seen}),
        *_meanings([row for name in seen for row in seen[name]]),
    ]
    doubts = [f"{row.participant} {words(row.record)}: {doubt}" for row in board.transfers for doubt in row.doubts]
    return tabled(board, columns, cells, "Transfers by outcome", notes) + (
        paragraphs("Answers that cannot all be true: " + " ".join(doubts)) if doubts else ""
    )


def _meanings(rows: Sequence[LabelRow]) -> Iterator[str]:
    """What each definition means by its words."""
    told: dict[str, list[str]] = {}
    for row in rows:
        told.setdefault(row.definition, []).append(f"{row.name}, {row.says}")
    for definition, words_of in told.items():
        yield f"{definition}: {'; '.join(dict.fromkeys(words_of))}."


def _none(groups: Mapping[str, Sequence[LabelRow]]) -> Iterator[str]:
    """The outcomes that no transfer is known to have had, by how many may still have had them."""
    alike: dict[int, list[str]] = {}
    for name, rows in groups.items():
        alike.setdefault(max(row.unknown for row in rows), []).append(name)
    for most, names in sorted(alike.items()):
        so_far = f"so far; not known of up to {most} in an arm" if most else "certainly"
        yield f"None, {so_far}: {', '.join(names)}."


def _counted(row: LabelRow | None) -> str:
    if row is None:
        return ""
    return f"{row.yes} / {row.of}" + (f", {row.unknown} ?" if row.unknown else "")


def children_table(board: Board) -> str:
    """Every child with what is known of it, and the units and lots that its mother had been given."""
    if not board.children:
        return paragraphs("No child is recorded.")
    shown = ("alive_at_birth", "alive_at_28_days", "birth_weight", "weight_g")
    columns = [
        Column("mother", "Mother"),
        *([] if board.codes else [Column("arm", "Arm")]),
        Column("born", "Born"),
        Column("alive", "Alive at birth, at 28 days"),
        Column("weight", "Weight, g", "right"),
        Column("more", "Also recorded"),
        *([] if board.codes else [Column("units", "Unit, lot, donor before the birth")]),
    ]
    rows = []
    for one in board.children:
        given = [*one.units, *one.lots, *one.donors]
        arm = next((row.arm for row in board.transfers if row.participant == one.participant), "")
        rows.append(
            {
                "mother": one.participant,
                "arm": arm_name(board, arm),
                "born": whole(one.born or "unknown"),
                "alive": f"{_ANSWERS[one.alive_at_birth]}, {_ANSWERS[one.alive_at_28_days]}",
                "weight": "unknown" if one.weight_g is None else one.weight_g,
                "more": "; ".join(f"{words(name)}: {value}" for name, value in one.recorded if name not in shown),
                "units": lines(whole(each) for each in given) or "none given",
            }
        )
    notes = ["Units and lots are left out: in a masked trial they would tell the arm."] if board.codes else []
    return tabled(board, columns, rows, f"Children ({len(rows)})", notes)


def late_results(board: Board) -> str:
    """Releases that still wait for a result, and lots that were called back, with who was given of them."""
    rows = [
        {
            "what": f"{one.what} {one.identity} ({label(board.cut.protocol, product.product)})",
            "since": whole(one.since),
            "outstanding": "; ".join(one.outstanding) or "its final release",
            "given": ", ".join(one.given_to) or "nobody yet",
        }
        for product in board.products
        for one in product.outstanding
    ]
    columns = [
        Column("what", "Released on a condition"),
        Column("since", "Since"),
        Column("outstanding", "Still not known"),
        Column("given", "Given to"),
    ]
    recalled = [
        {
            "lot": lot,
            "who": one.participant,
            "unit": one.unit or "no unit recorded",
            "given": whole(one.given),
            "after": lines([_after(each) for each in one.afterwards]) or "nothing recorded",
        }
        for lot, given in board.recalled
        for one in given
    ]
    recalled += [
        {"lot": lot, "who": "nobody", "unit": "–", "given": "–", "after": "–"}
        for lot, given in board.recalled
        if not given
    ]
    of_recall = [
        Column("lot", "Lot recalled"),
        Column("who", "Given to"),
        Column("unit", "Unit"),
        Column("given", "When"),
        Column("after", "Cycles, transfers and children since"),
    ]
    return tabled(board, columns, rows, "Released, and waiting for a result still") + tabled(
        board, of_recall, recalled, "Lots called back, and their recipients"
    )


def _after(one: Afterwards) -> str:
    unsure = "" if one.later is Truth.YES else ", perhaps before"
    return f"{words(one.kind)} {one.on or 'day unknown'}{unsure}"
