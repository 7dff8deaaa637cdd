"""A child process: a status matrix over a generated store, six criteria compiled, beside SQL written by hand.

python -m bench.population SIZE RUNS

prints the peak memory in MB and, for each run, CPU seconds of the SQL written by hand, of the SQL that `compile` writes
and of `compile` from end to end, after making sure that both answer alike for everybody. The store is in the form of
points: every value is one number or category, every date a day, every list closed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import ibis

from bench.row import cpu_seconds
from bench.scaling import peak
from trialwright.core.finding import Finding
from trialwright.core.units import Unit, unit
from trialwright.language.check import Checked, check
from trialwright.language.compile import Source, answers_of, compile_rules
from trialwright.language.parse import parse
from trialwright.language.vocabulary import Duration, Item, Record, Vocabulary

_RESULTS = ("negative", "positive", "indeterminate")


def _unit(code: str) -> Unit:
    found = unit(code)
    assert found is not None
    return found


VOCABULARY = Vocabulary(
    {
        "birth_date": Item("birth_date", "date"),
        "age": Item("age", "age", born="birth_date"),
        "amh": Item("amh", "quantity", _unit("ng/mL")),
        "afc": Item("afc", "count"),
        "hiv": Item("hiv", "category", categories=_RESULTS, valid=Duration(6, "months")),
        "fsh": Item("fsh", "quantity", _unit("[IU]/L"), attributes={"cycle_day": Item("cycle_day", "count")}),
        "haemoglobin": Item("haemoglobin", "quantity", _unit("g/L")),
        "platelets": Item("platelets", "quantity", _unit("10*9/L")),
        "weight": Item("weight", "quantity", _unit("kg")),
    },
    {"transfer": Record("transfer", {"outcome": Item("outcome", "category", categories=("failed", "pregnant"))})},
)
CRITERIA = {
    "age": "age in 20..38 years",
    "reserve": "afc <= 7 or amh < 1.10 ng/mL",
    "fsh": "latest(fsh on cycle_day 2..4) in 1..10 [IU]/L",
    "hiv": "hiv = negative",
    "blood": "platelets < 100 10*9/L or haemoglobin < 100 g/L",
    "failures": "count(transfer where outcome = failed) >= 3",
}

_STORE = """
SELECT setseed(0.42);
CREATE TABLE participants AS
  SELECT 'p' || lpad(i::VARCHAR, 8, '0') AS participant, DATE '2026-03-09' AS earliest FROM range({size}) r(i);
CREATE TABLE measured AS
  SELECT 'p' || lpad((random() * ({size} - 1))::BIGINT::VARCHAR, 8, '0') AS participant,
         ['amh', 'afc', 'hiv', 'fsh', 'haemoglobin', 'platelets', 'weight', 'weight', 'weight', 'fsh']
           [1 + (random() * 9.99)::INTEGER % 10] AS item,
         DATE '2026-03-20' - (random() * 700)::INTEGER AS date_earliest, random() AS x, random() AS y
  FROM range({size} * {each});
CREATE TABLE observations AS
  SELECT participant, item,
         CASE item WHEN 'amh' THEN round(x * 5, 2) WHEN 'afc' THEN floor(x * 20) WHEN 'fsh' THEN round(x * 14, 1)
           WHEN 'haemoglobin' THEN round(85 + x * 60) WHEN 'platelets' THEN round(80 + x * 300)
           WHEN 'weight' THEN round(45 + x * 40, 1) END::DECIMAL(18, 3) AS low,
         CASE WHEN item = 'hiv' THEN CASE WHEN x < 0.97 THEN 1 WHEN x < 0.99 THEN 2 ELSE 4 END END::BIGINT AS mask,
         NULL::DATE AS earliest, date_earliest,
         CASE WHEN item = 'fsh' AND y < 0.9 THEN 1 + floor(y * 15) END::DECIMAL(18, 3) AS cycle_day_low
  FROM measured
  UNION ALL
  SELECT participant, 'birth_date', NULL, NULL, DATE '1980-01-01' + (hash(participant) % 9000)::INTEGER,
         DATE '2026-01-01', NULL
  FROM participants;
CREATE TABLE transfer AS
  SELECT 'p' || lpad((random() * ({size} - 1))::BIGINT::VARCHAR, 8, '0') AS participant, i::VARCHAR AS identity,
         DATE '2026-03-20' - (random() * 2000)::INTEGER AS date_earliest,
         CASE WHEN random() < 0.7 THEN 1 WHEN random() < 0.9 THEN 2 END::BIGINT AS outcome_mask
  FROM range({size} * 2) r(i)
"""

_BY_HAND = """
WITH told AS (
  SELECT o.participant, o.item, o.low, o.mask, o.date_earliest AS d, o.cycle_day_low AS day, o.earliest AS born,
         (o.item = 'birth_date' OR (o.date_earliest <= p.earliest
           AND (o.item <> 'hiv' OR o.date_earliest >= p.earliest - INTERVAL 6 MONTH)))
           AND (o.item <> 'fsh' OR o.cycle_day_low BETWEEN 2 AND 4) AS sure
  FROM observations o JOIN participants p USING (participant)
  WHERE o.item IN ('birth_date', 'amh', 'afc', 'hiv', 'fsh', 'haemoglobin', 'platelets')
), best AS (
  SELECT *, max(d) FILTER (WHERE sure) OVER (PARTITION BY participant, item) AS last FROM told
  WHERE coalesce(sure, TRUE)
), ours AS (
  SELECT participant,
    min(born) FILTER (WHERE item = 'birth_date') AS born_first,
    max(born) FILTER (WHERE item = 'birth_date') AS born_last,
    min(low) FILTER (WHERE item = 'amh') AS amh_low, max(low) FILTER (WHERE item = 'amh') AS amh_high,
    min(low) FILTER (WHERE item = 'afc') AS afc_low, max(low) FILTER (WHERE item = 'afc') AS afc_high,
    min(low) FILTER (WHERE item = 'fsh') AS fsh_low, max(low) FILTER (WHERE item = 'fsh') AS fsh_high,
    count(*) FILTER (WHERE item = 'fsh' AND sure) AS fsh_sure,
    min(low) FILTER (WHERE item = 'haemoglobin') AS hb_low, max(low) FILTER (WHERE item = 'haemoglobin') AS hb_high,
    min(low) FILTER (WHERE item = 'platelets') AS plt_low, max(low) FILTER (WHERE item = 'platelets') AS plt_high,
    bit_or(mask) FILTER (WHERE item = 'hiv') AS hiv
  FROM best WHERE coalesce(d >= last, TRUE) GROUP BY participant
), failed AS (
  SELECT t.participant, count(*) FILTER (WHERE outcome_mask = 1) AS sure, count(*) FILTER (
    WHERE coalesce(outcome_mask = 1, TRUE)) AS possible
  FROM transfer t JOIN participants p USING (participant) WHERE t.date_earliest <= p.earliest GROUP BY t.participant
), aged AS (
  SELECT *, year(p.earliest) - year(born_last) - CASE WHEN month(p.earliest) * 100 + day(p.earliest)
           < month(born_last) * 100 + day(born_last) THEN 1 ELSE 0 END AS age_low,
    year(p.earliest) - year(born_first) - CASE WHEN month(p.earliest) * 100 + day(p.earliest)
           < month(born_first) * 100 + day(born_first) THEN 1 ELSE 0 END AS age_high
  FROM participants p LEFT JOIN ours USING (participant) LEFT JOIN failed USING (participant)
)
SELECT participant,
  CASE WHEN age_low >= 20 AND age_high <= 38 THEN TRUE WHEN age_high < 20 OR age_low > 38 THEN FALSE END AS age,
  CASE WHEN afc_high <= 7 THEN TRUE WHEN afc_low > 7 THEN FALSE END
    OR CASE WHEN amh_high < 1.10 THEN TRUE WHEN amh_low >= 1.10 THEN FALSE END AS reserve,
  CASE WHEN fsh_sure = 0 THEN NULL WHEN fsh_low >= 1 AND fsh_high <= 10 THEN TRUE
    WHEN fsh_high < 1 OR fsh_low > 10 THEN FALSE END AS fsh,
  CASE WHEN hiv & 6 = 0 THEN TRUE WHEN hiv & 1 = 0 THEN FALSE END AS hiv,
  CASE WHEN plt_high < 100 THEN TRUE WHEN plt_low >= 100 THEN FALSE END
    OR CASE WHEN hb_high < 100 THEN TRUE WHEN hb_low >= 100 THEN FALSE END AS blood,
  CASE WHEN coalesce(sure, 0) >= 3 THEN TRUE WHEN coalesce(possible, 0) < 3 THEN FALSE END AS failures
FROM aged
"""


def store(size: int, each: int = 50) -> Any:
    """A DuckDB with so many participants, each with so many observations on average."""
    connection = ibis.duckdb.connect()
    connection.raw_sql(_STORE.format(size=size, each=each))
    return connection


def source(connection: Any) -> Source:
    """The store as the compiler reads it."""
    table = connection.table
    return Source(table("participants"), table("observations"), {"transfer": table("transfer")})


def compiled(connection: Any) -> Any:
    """The six criteria as one Ibis table."""
    rules = {}
    for name, text in CRITERIA.items():
        expression = parse(text)
        assert not isinstance(expression, Finding), str(expression)
        rules[name] = check(expression, Checked(VOCABULARY))
    return compile_rules(rules, source(connection))


def measure(size: int, runs: int) -> list[float]:
    """The peak memory of this process, then for each run the CPU seconds of the three ways."""
    connection = store(size)
    expression = compiled(connection)
    mine = answers_of(connection, expression).sort_by("participant")
    other = connection.raw_sql(f"SELECT * FROM ({_BY_HAND}) ORDER BY participant").to_arrow_table()
    assert mine.num_rows == size
    assert mine.select(other.column_names).cast(other.schema).equals(other), "the two matrices differ"
    del mine, other
    sql = str(ibis.to_sql(expression, dialect="duckdb"))
    ways: tuple[Callable[[], object], ...] = (
        lambda: connection.raw_sql(_BY_HAND).to_arrow_table(),
        lambda: connection.raw_sql(sql).to_arrow_table(),
        lambda: answers_of(connection, compiled(connection)),
    )
    taken = [cpu_seconds(way) for _ in range(runs) for way in ways]
    return [peak(), *taken]


if __name__ == "__main__":
    print(*measure(int(sys.argv[1]), int(sys.argv[2])))
