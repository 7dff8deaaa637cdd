"""Rows of a spreadsheet become commands by a mapping; what is known is not sent again, what differs is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.desk import Desk
from tests.unit.laboratory_desk import laboratory_desk, laboratory_protocol
from trialwright.core.finding import Refused
from trialwright.exchange.import_rows import ImportRow, day_of, import_rows
from trialwright.exchange.mapping import Fill, Mapping, Source, digest, faults, from_yaml, proposed, to_yaml
from trialwright.exchange.sheet import read_sheet
from trialwright.trial import commands as c
from trialwright.trial.office import whole_state

WHO, WHEN = Source(column="id"), Source(column="day")
LABORATORY = Mapping(
    rows="oocyte", participant=WHO, day=WHEN, parent=Source(column="cycle"), number=Source(column="no"),
    fills=(Fill(target="pronuclei", column="pn"), Fill(target="fate", column="fate", means={"冻": "frozen"})),
)  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = laboratory_desk(tmp_path)
    yield made
    made.ledger.close()


def _rows(desk: Desk, mapping: Mapping, text: str) -> list[ImportRow]:
    sheet = read_sheet("list.csv", text.encode())
    assert faults(mapping, desk.protocol, sheet) == []
    _, participants = whole_state(desk.ledger)
    return import_rows(mapping, sheet, desk.protocol, "S01", participants.get)


def _codes(rows: list[ImportRow]) -> list[list[str]]:
    return [[one.code for one in row.found] for row in rows]


def test_each_column_becomes_an_answer_in_its_unit_with_its_words_translated(desk: Desk) -> None:
    fills = (
        Fill(target="amh", column="AMH", unit="pmol/L"),
        Fill(target="allergy", column="过敏", means={"是": "yes", "否": "no", "未做": ""}),
        Fill(target="birth_date", column="born"),
        Fill(target="partner.sperm_count", column="sperm"),
    )
    text = "id,day,AMH,过敏,born,sperm\nP-1,2026/3/5,5.5,否,1990年3月2日,12\nP-2,2026-03-05,0.9 ng/mL,未做,,\n"
    first, second = _rows(desk, Mapping(participant=WHO, day=WHEN, fills=fills), text)
    assert list(first.commands.values()) == [
        c.Observe("P-1", "amh", "5.5 pmol/L", "2026-03-05"),
        c.Observe("P-1", "allergy", "no", "2026-03-05"),
        c.Observe("P-1", "birth_date", "1990-03-02", "2026-03-05"),
        c.Observe("P-1", "sperm_count", "12 10*6/mL", "2026-03-05", person="partner"),
    ]
    assert list(second.commands.values()) == [c.Observe("P-2", "amh", "0.9 ng/mL", "2026-03-05")], "a typed unit stays"


def test_what_is_recorded_already_is_not_sent_again(desk: Desk) -> None:
    mapping = Mapping(participant=WHO, day=WHEN, fills=(Fill(target="amh", column="AMH"),))
    same, other_day = _rows(desk, mapping, "id,day,AMH\nP-1,2026-03-02,0.800\nP-1,2026-03-04,0.8\n")
    assert (same.known, same.commands) == (1, {}), "0.800 is the 0.80 of that day"
    assert (other_day.known, len(other_day.commands)) == (0, 1)


def test_one_value_may_stand_for_every_row(desk: Desk) -> None:
    fills = (Fill(target="weight", constant="61"),)
    mapping = Mapping(participant=WHO, day=Source(constant="2026-03-05"), fills=fills)
    assert _rows(desk, mapping, "id\nP-1\n")[0].commands == {
        "weight": c.Observe("P-1", "weight", "61 kg", "2026-03-05")
    }


def test_a_row_of_the_laboratory_finds_its_cycle_and_its_number(desk: Desk) -> None:
    desk.do(c.AddRecord("P-1", "oocyte", "oocyte-2", "2026-03-18", {"pronuclei": "2"}, "cycle-b"))
    text = (
        "id,day,cycle,no,pn,fate\n"
        "P-1,2026-03-19,cycle-b,1,2,\n"  # new, by the name of its cycle
        "P-1,2026-03-19,2,2,2,冻\n"  # recorded, by the number of its cycle; a field more
        "P-1,2026-03-20,cycle-b,1,,冻\n"  # added two rows above
        "P-1,2026-03-19,cycle-b,2,2,\n"  # says again what row 3 said
    )
    rows = _rows(desk, LABORATORY, text)
    assert [list(row.commands.values()) for row in rows] == [
        [c.AddRecord("P-1", "oocyte", "cycle-b-1", "2026-03-19", {"pronuclei": "2"}, "cycle-b")],
        [c.CompleteRecord("P-1", "oocyte", "oocyte-2", "2026-03-19", {"fate": "frozen"})],
        [c.CompleteRecord("P-1", "oocyte", "cycle-b-1", "2026-03-20", {"fate": "frozen"})],
        [],
    ]
    assert _codes(rows) == [[], [], [], ["import_twice"]]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("P-1,2026-03-19,cycle-z,1,2,", "import_parent_unclear"),
        ("P-1,2026-03-19,3,1,2,", "import_parent_unclear"),
        ("P-1,2026-03-19,,1,2,", "import_parent_unclear"),
        ("P-2,2026-03-19,cycle-a,1,2,", "import_parent_unclear"),
        ("P-1,2026-03-19,cycle-a,one,2,", "import_number_wrong"),
        ("P-1,2026-03-19,cycle-a,0,2,", "import_number_wrong"),
        (",2026-03-19,cycle-a,1,2,", "import_cell_missing"),
        ("P-1,,cycle-a,1,2,", "import_cell_missing"),
        ("P-9,2026-03-19,cycle-a,1,2,", "import_participant_elsewhere"),
        ("P-1,2026-03-19,cycle-b,2,3,", "import_differs"),
    ],
)
def test_a_row_that_cannot_be_placed_says_why(desk: Desk, line: str, code: str) -> None:
    desk.do(c.AddRecord("P-1", "oocyte", "oocyte-2", "2026-03-18", {"pronuclei": "2"}, "cycle-b"))
    rows = _rows(desk, LABORATORY, f"id,day,cycle,no,pn,fate\n{line}\n")
    assert _codes(rows) == [[code]]
    assert "row 2" in str(rows[0].found[0]).lower()


def test_without_a_number_each_row_is_a_record_of_its_own(desk: Desk) -> None:
    mapping = Mapping(rows="earlier_cycle", participant=WHO, day=WHEN, fills=(Fill(target="outcome", column="how"),))
    rows = _rows(desk, mapping, "id,day,how\nP-1,2025-05,failed\nP-1,2025-05,failed\n")
    names = [one.record for row in rows for one in row.commands.values() if isinstance(one, c.AddRecord)]
    assert len(set(names)) == 2


def test_a_row_may_take_a_woman_into_screening_once(desk: Desk) -> None:
    rows = _rows(desk, Mapping(rows="screening", participant=WHO, day=WHEN), "id,day\nP-8,2026-03-19\nP-8,2026-03-19\n")
    assert list(rows[0].commands.values()) == [c.Screen("P-8", "S01", "2026-03-19")]
    assert _codes(rows) == [[], ["import_twice"]]


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("2026-03-02", "2026-03-02"),
        ("2026/3/2", "2026-03-02"),
        ("2026.03.02", "2026-03-02"),
        ("20260302", "2026-03-02"),
        ("2026年3月2日", "2026-03-02"),
        ("2026/3/2 9:05", "2026-03-02T09:05"),
        ("2026-03-02 09:05:59", "2026-03-02T09:05"),
        ("2026-03", "2026-03"),
        ("2/3/2026", "2/3/2026"),  # two days it may be: for the gate to refuse
    ],
)
def test_days_are_read_as_spreadsheets_write_them_and_never_guessed(typed: str, day: str) -> None:
    assert day_of(typed) == day


def test_a_mapping_is_proposed_by_the_nearest_names() -> None:
    text = "受试者编号,检查日期,AMH (pmol/L),Wieght,allergy to blood products,备注\nP-1,2026-03-02,5,61,否,x\n"
    made = proposed(laboratory_protocol(), read_sheet("a.csv", text.encode()))
    assert (made.participant.column, made.day.column) == ("受试者编号", "检查日期")
    assert [(fill.target, fill.column, fill.unit, dict(fill.means)) for fill in made.fills] == [
        ("amh", "AMH (pmol/L)", "pmol/L", {}),
        ("weight", "Wieght", "", {}),
        ("allergy", "allergy to blood products", "", {"否": "no"}),
    ]
    text = "id,day,周期,序号,受精方式\nP-1,2026-03-02,cycle-a,1,icsi\n"
    made = proposed(laboratory_protocol(), read_sheet("a.csv", text.encode()), "oocyte")
    assert (made.parent.column, made.number.column, made.fills[0].target) == ("周期", "序号", "insemination")


def test_a_mapping_goes_into_a_file_and_comes_back() -> None:
    assert from_yaml(to_yaml(LABORATORY)) == LABORATORY
    assert digest(from_yaml(to_yaml(LABORATORY))) == digest(LABORATORY)
    assert "冻: frozen" in to_yaml(LABORATORY)


@pytest.mark.parametrize("text", ["rows: [", "fills: 7", "colums: x", "- a", "!!python/object:os.system {}"])
def test_a_mapping_file_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="mapping cannot be read"):
        from_yaml(text)


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        (Mapping(rows="ooccyte", participant=WHO, day=WHEN), "Did you mean `oocyte`?"),
        (Mapping(day=WHEN, fills=(Fill(target="amh", column="AMH"),)), "does not say who"),
        (Mapping(participant=WHO, fills=(Fill(target="amh", column="AMH"),)), "does not say the day"),
        (Mapping(participant=WHO, day=WHEN), "what any column fills"),
        (Mapping(participant=WHO, day=WHEN, fills=(Fill(target="ahm", column="AMH"),)), "`amh`"),
        (Mapping(participant=WHO, day=WHEN, fills=(Fill(target="amh", column="AHM"),)), "`AMH`"),
        (
            Mapping(participant=WHO, day=WHEN, fills=(Fill(target="amh", column="AMH", unit="nogram"),)),
            "among the units",
        ),
    ],
)
def test_a_mapping_that_does_not_fit_says_so_before_any_row_is_looked_at(mapping: Mapping, says: str) -> None:
    sheet = read_sheet("a.csv", b"id,day,AMH\nP-1,2026-03-02,1\n")
    assert says in " ".join(map(str, faults(mapping, laboratory_protocol(), sheet)))
