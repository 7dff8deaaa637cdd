"""Registry studies for tests and the bench: those beside the project, and facts of pages put into the same shape.

They lie beside the repository, in ../shared/records; where they are absent, nothing is found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RECORDS = Path(__file__).parents[2] / "shared" / "records"


def studies() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every study with a name, in the order of the names."""
    for path in sorted(RECORDS.glob("ctgov/*.json")):
        yield path.stem, json.loads(path.read_text("utf-8"))
    for path in sorted(RECORDS.glob("truth/*.json")):
        yield f"{path.stem} as on a page", study_of(json.loads(path.read_text("utf-8")))


def study_of(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts of a page as a ClinicalTrials.gov v2 study."""
    return {
        "protocolSection": {
            "identificationModule": {
                "nctId": facts["nct"],
                "briefTitle": facts["title"],
                "officialTitle": facts["official"],
            },
            "statusModule": {"overallStatus": facts["status"]},
            "sponsorCollaboratorsModule": {"leadSponsor": {"name": facts["sponsor"]}},
            "descriptionModule": {"briefSummary": facts["summary"], "detailedDescription": facts["detail"]},
            "conditionsModule": {"conditions": facts["conditions"], "keywords": facts["keywords"]},
            "designModule": {
                "studyType": facts["study_type"],
                "phases": facts["phases"],
                "designInfo": {
                    "allocation": facts["allocation"],
                    "interventionModel": facts["model"],
                    "primaryPurpose": facts["purpose"],
                    "maskingInfo": {"masking": facts["masking"]},
                },
                "enrollmentInfo": {"count": facts["enrollment"]},
            },
            "armsInterventionsModule": {
                "armGroups": [
                    {
                        "label": one["label"],
                        "type": one["type"],
                        "description": one["desc"],
                        "interventionNames": one["ints"],
                    }
                    for one in facts["arms"]
                ],
                "interventions": [
                    {"type": one["type"], "name": one["name"], "description": one["desc"], "otherNames": one["other"]}
                    for one in facts["interventions"]
                ],
            },
            "outcomesModule": {
                f"{kind}Outcomes": [
                    {"measure": one["m"], "timeFrame": one["t"], "description": one["d"]} for one in facts[kind]
                ]
                for kind in ("primary", "secondary")
            },
            "eligibilityModule": {
                "eligibilityCriteria": facts["criteria"],
                "sex": facts["sex"],
                "minimumAge": facts["min_age"],
                "maximumAge": facts["max_age"],
            },
        }
    }
