"""A Spark of two threads inside this process, for tests: no network, no web page, one partition."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ibis

from trialwright.language.compiling.engine import SPARK_SETTINGS

#: The queries are large and the tables tiny: writing and compiling Java for them takes longer than to do without.
_FOR_TESTS = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "3g",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


def why_not() -> str:
    """Why Spark cannot be started here; empty if it can."""
    if find_spec("pyspark") is None:
        return "pyspark is not installed; `make spark` installs it and runs these tests"
    return "" if shutil.which("java") else "there is no Java, which Spark needs (17 or 21)"


@cache
def spark() -> Any:
    """One connection for all tests: a session takes ten seconds to start."""
    builder = import_module("pyspark.sql").SparkSession.builder.master("local[2]").appName("trialwright")
    own = {setting: wanted for setting, (wanted, _) in SPARK_SETTINGS.items()}
    warehouse = {"spark.sql.warehouse.dir": str(Path(tempfile.gettempdir()) / "trialwright-spark")}
    for setting, value in (_FOR_TESTS | warehouse | own).items():
        builder = builder.config(setting, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return ibis.pyspark.connect(session)
