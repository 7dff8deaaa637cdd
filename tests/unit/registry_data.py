"""Where the registry records that are not part of the project lie: beside the repository."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RECORDS = ROOT.parent / "shared" / "records"
STANDARD = ROOT.parent / "shared" / "standards" / "clinicaltrials-gov-api-v2.0.0.yaml"
with_records = pytest.mark.skipif(not RECORDS.is_dir(), reason=f"there are no registry records at {RECORDS}")
with_standard = pytest.mark.skipif(
    not (STANDARD.exists() and RECORDS.is_dir()), reason=f"the OpenAPI description of the registry is not at {STANDARD}"
)
HBMSC = (ROOT / "protocols" / "nct07176143" / "record.txt").read_text("utf-8")
HAMSC = (ROOT / "protocols" / "nct04706312" / "record.txt").read_text("utf-8")


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema of a study, with every unknown key forbidden."""
    components = yaml.load(STANDARD.read_text("utf-8"), yaml.CSafeLoader)["components"]
    for one in components["schemas"].values():
        if "properties" in one:
            one["additionalProperties"] = False
    made: dict[str, Any] = json.loads(json.dumps({"$ref": "#/components/schemas/Study", "components": components}))
    return made


def files(folder: str, ending: str) -> list[Path]:
    """The files of a folder of the shared records; none where they are absent."""
    return sorted((RECORDS / folder).glob(f"*.{ending}"))
