"""Which element of the legacy XML fills which field of a v2 study, and how its text is read."""

from __future__ import annotations

import re
from collections.abc import Callable

from trialwright.registry import values
from trialwright.registry.record import Json

_P = "/protocolSection"
_ID, _STATUS, _SPONSOR = f"{_P}/identificationModule", f"{_P}/statusModule", f"{_P}/sponsorCollaboratorsModule"
DESIGN, _WHO, ARMS = f"{_P}/designModule", f"{_P}/eligibilityModule", f"{_P}/armsInterventionsModule"
_PEOPLE, _IPD = f"{_P}/contactsLocationsModule", f"{_P}/ipdSharingStatementModule"

Read = Callable[[str], Json]


def as_text(text: str) -> str | None:
    """A text on one line."""
    return " ".join(text.split()) or None


def as_block(text: str) -> str | None:
    """A text block: wrapped lines joined, paragraphs and points of a list on lines of their own."""
    paragraphs = []
    for paragraph in re.split(r"\n[ \t]*\n", text.strip("\n")):
        whole = " ".join(paragraph.split())
        point = re.match(r"-\s+(?=\S)", whole)
        paragraphs.append(f"* {whole[point.end() :]}" if point else whole)
    return "\n\n".join(each for each in paragraphs if each) or None


def _word(kind: str) -> Read:
    return lambda text: values.word(kind, text)


def _age(text: str) -> str | None:
    return values.age(text)


def _phases(text: str) -> Json:
    return values.phases(text) or (["NA"] if text.strip() == "N/A" else None)


def _masking(text: str) -> str | None:
    return values.word("DesignMasking", text.split("(")[0]) or values.word("DesignMasking", text)


def who_masked(text: str) -> list[str] | None:
    """Who is masked, as the bracket behind the masking says."""
    inner = re.search(r"\((.*)\)", text)
    words = [values.word("WhoMasked", part) for part in inner[1].split(",")] if inner else []
    return [each for each in words if each] or None


def _healthy(text: str) -> bool | None:
    return True if text == "Accepts Healthy Volunteers" else values.yes_no(text)


#: Element, from the root -> (pointer, reader). The key ends in `@type` for the attribute of the element.
ONE: dict[str, tuple[str, Read]] = {
    "id_info/nct_id": (f"{_ID}/nctId", as_text),
    "id_info/org_study_id": (f"{_ID}/orgStudyIdInfo/id", as_text),
    "brief_title": (f"{_ID}/briefTitle", as_text),
    "official_title": (f"{_ID}/officialTitle", as_text),
    "acronym": (f"{_ID}/acronym", as_text),
    "source": (f"{_ID}/organization/fullName", as_text),
    "sponsors/lead_sponsor/agency": (f"{_SPONSOR}/leadSponsor/name", as_text),
    "sponsors/lead_sponsor/agency_class": (f"{_SPONSOR}/leadSponsor/class", _word("AgencyClass")),
    "responsible_party/responsible_party_type": (f"{_SPONSOR}/responsibleParty/type", _word("ResponsiblePartyType")),
    "responsible_party/investigator_full_name": (f"{_SPONSOR}/responsibleParty/investigatorFullName", as_text),
    "responsible_party/investigator_title": (f"{_SPONSOR}/responsibleParty/investigatorTitle", as_text),
    "responsible_party/investigator_affiliation": (f"{_SPONSOR}/responsibleParty/investigatorAffiliation", as_text),
    "responsible_party/name_title": (f"{_SPONSOR}/responsibleParty/oldNameTitle", as_text),
    "responsible_party/organization": (f"{_SPONSOR}/responsibleParty/oldOrganization", as_text),
    "oversight_info/has_dmc": (f"{_P}/oversightModule/oversightHasDmc", values.yes_no),
    "oversight_info/is_fda_regulated_drug": (f"{_P}/oversightModule/isFdaRegulatedDrug", values.yes_no),
    "oversight_info/is_fda_regulated_device": (f"{_P}/oversightModule/isFdaRegulatedDevice", values.yes_no),
    "oversight_info/is_unapproved_device": (f"{_P}/oversightModule/isUnapprovedDevice", values.yes_no),
    "oversight_info/is_ppsd": (f"{_P}/oversightModule/isPpsd", values.yes_no),
    "oversight_info/is_us_export": (f"{_P}/oversightModule/isUsExport", values.yes_no),
    "brief_summary/textblock": (f"{_P}/descriptionModule/briefSummary", as_block),
    "detailed_description/textblock": (f"{_P}/descriptionModule/detailedDescription", as_block),
    "overall_status": (f"{_STATUS}/overallStatus", _word("Status")),
    "last_known_status": (f"{_STATUS}/lastKnownStatus", _word("Status")),
    "why_stopped": (f"{_STATUS}/whyStopped", as_text),
    "has_expanded_access": (f"{_STATUS}/expandedAccessInfo/hasExpandedAccess", values.yes_no),
    "start_date": (f"{_STATUS}/startDateStruct/date", values.as_date),
    "start_date@type": (f"{_STATUS}/startDateStruct/type", _word("DateType")),
    "primary_completion_date": (f"{_STATUS}/primaryCompletionDateStruct/date", values.as_date),
    "primary_completion_date@type": (f"{_STATUS}/primaryCompletionDateStruct/type", _word("DateType")),
    "completion_date": (f"{_STATUS}/completionDateStruct/date", values.as_date),
    "completion_date@type": (f"{_STATUS}/completionDateStruct/type", _word("DateType")),
    "verification_date": (f"{_STATUS}/statusVerifiedDate", values.as_date),
    "study_first_submitted": (f"{_STATUS}/studyFirstSubmitDate", values.as_date),
    "firstreceived_date": (f"{_STATUS}/studyFirstSubmitDate", values.as_date),
    "study_first_submitted_qc": (f"{_STATUS}/studyFirstSubmitQcDate", values.as_date),
    "study_first_posted": (f"{_STATUS}/studyFirstPostDateStruct/date", values.as_date),
    "study_first_posted@type": (f"{_STATUS}/studyFirstPostDateStruct/type", _word("DateType")),
    "results_first_submitted": (f"{_STATUS}/resultsFirstSubmitDate", values.as_date),
    "results_first_submitted_qc": (f"{_STATUS}/resultsFirstSubmitQcDate", values.as_date),
    "results_first_posted": (f"{_STATUS}/resultsFirstPostDateStruct/date", values.as_date),
    "results_first_posted@type": (f"{_STATUS}/resultsFirstPostDateStruct/type", _word("DateType")),
    "disposition_first_submitted": (f"{_STATUS}/dispFirstSubmitDate", values.as_date),
    "disposition_first_submitted_qc": (f"{_STATUS}/dispFirstSubmitQcDate", values.as_date),
    "disposition_first_posted": (f"{_STATUS}/dispFirstPostDateStruct/date", values.as_date),
    "disposition_first_posted@type": (f"{_STATUS}/dispFirstPostDateStruct/type", _word("DateType")),
    "last_update_submitted": (f"{_STATUS}/lastUpdateSubmitDate", values.as_date),
    "lastchanged_date": (f"{_STATUS}/lastUpdateSubmitDate", values.as_date),
    "last_update_posted": (f"{_STATUS}/lastUpdatePostDateStruct/date", values.as_date),
    "last_update_posted@type": (f"{_STATUS}/lastUpdatePostDateStruct/type", _word("DateType")),
    "phase": (f"{DESIGN}/phases", _phases),
    "study_type": (f"{DESIGN}/studyType", lambda text: values.word("StudyType", text.split("[")[0].strip())),
    "target_duration": (f"{DESIGN}/targetDuration", as_text),
    "expanded_access_info/expanded_access_type_individual": (
        f"{DESIGN}/expandedAccessTypes/individual",
        values.yes_no,
    ),
    "expanded_access_info/expanded_access_type_intermediate": (
        f"{DESIGN}/expandedAccessTypes/intermediate",
        values.yes_no,
    ),
    "expanded_access_info/expanded_access_type_treatment": (f"{DESIGN}/expandedAccessTypes/treatment", values.yes_no),
    "study_design_info/allocation": (f"{DESIGN}/designInfo/allocation", _word("DesignAllocation")),
    "study_design_info/intervention_model": (
        f"{DESIGN}/designInfo/interventionModel",
        _word("InterventionalAssignment"),
    ),
    "study_design_info/intervention_model_description": (f"{DESIGN}/designInfo/interventionModelDescription", as_text),
    "study_design_info/primary_purpose": (f"{DESIGN}/designInfo/primaryPurpose", _word("PrimaryPurpose")),
    "study_design_info/observational_model": (f"{DESIGN}/designInfo/observationalModel", _word("ObservationalModel")),
    "study_design_info/time_perspective": (f"{DESIGN}/designInfo/timePerspective", _word("DesignTimePerspective")),
    "study_design_info/masking": (f"{DESIGN}/designInfo/maskingInfo/masking", _masking),
    "study_design_info/masking_description": (f"{DESIGN}/designInfo/maskingInfo/maskingDescription", as_text),
    "biospec_retention": (f"{DESIGN}/bioSpec/retention", _word("BioSpecRetention")),
    "biospec_descr/textblock": (f"{DESIGN}/bioSpec/description", as_block),
    "enrollment": (f"{DESIGN}/enrollmentInfo/count", values.count),
    "enrollment@type": (f"{DESIGN}/enrollmentInfo/type", _word("EnrollmentType")),
    "eligibility/study_pop/textblock": (f"{_WHO}/studyPopulation", as_block),
    "eligibility/sampling_method": (f"{_WHO}/samplingMethod", _word("SamplingMethod")),
    "eligibility/criteria/textblock": (f"{_WHO}/eligibilityCriteria", as_block),
    "eligibility/gender": (f"{_WHO}/sex", _word("Sex")),
    "eligibility/gender_based": (f"{_WHO}/genderBased", values.yes_no),
    "eligibility/gender_description": (f"{_WHO}/genderDescription", as_text),
    "eligibility/minimum_age": (f"{_WHO}/minimumAge", _age),
    "eligibility/maximum_age": (f"{_WHO}/maximumAge", _age),
    "eligibility/healthy_volunteers": (f"{_WHO}/healthyVolunteers", _healthy),
    "patient_data/sharing_ipd": (f"{_IPD}/ipdSharing", _word("IpdSharing")),
    "patient_data/ipd_description": (f"{_IPD}/description", as_text),
    "patient_data/ipd_time_frame": (f"{_IPD}/timeFrame", as_text),
    "patient_data/ipd_access_criteria": (f"{_IPD}/accessCriteria", as_text),
    "patient_data/ipd_url": (f"{_IPD}/url", as_text),
}

_OUTCOME: dict[str, tuple[str, Read]] = {
    "measure": ("measure", as_text),
    "time_frame": ("timeFrame", as_text),
    "description": ("description", as_text),
}
CONTACT: dict[str, tuple[str, Read]] = {
    "last_name": ("name", as_text),
    "phone": ("phone", as_text),
    "phone_ext": ("phoneExt", as_text),
    "email": ("email", as_text),
}
#: Elements that repeat: (pointer of the list, elements inside -> key and reader); a plain text where there are none.
MANY: dict[str, tuple[str, dict[str, tuple[str, Read]]]] = {
    "id_info/nct_alias": (f"{_ID}/nctIdAliases", {}),
    "id_info/secondary_id": (f"{_ID}/secondaryIdInfos", {"": ("id", as_text)}),
    "sponsors/collaborator": (
        f"{_SPONSOR}/collaborators",
        {"agency": ("name", as_text), "agency_class": ("class", _word("AgencyClass"))},
    ),
    "condition": (f"{_P}/conditionsModule/conditions", {}),
    "keyword": (f"{_P}/conditionsModule/keywords", {}),
    "arm_group": (
        f"{ARMS}/armGroups",
        {
            "arm_group_label": ("label", as_text),
            "arm_group_type": ("type", _word("ArmGroupType")),
            "description": ("description", as_text),
        },
    ),
    "intervention": (
        f"{ARMS}/interventions",
        {
            "intervention_type": ("type", _word("InterventionType")),
            "intervention_name": ("name", as_text),
            "description": ("description", as_text),
            "arm_group_label": ("armGroupLabels/", as_text),
            "other_name": ("otherNames/", as_text),
        },
    ),
    "primary_outcome": (f"{_P}/outcomesModule/primaryOutcomes", _OUTCOME),
    "secondary_outcome": (f"{_P}/outcomesModule/secondaryOutcomes", _OUTCOME),
    "other_outcome": (f"{_P}/outcomesModule/otherOutcomes", _OUTCOME),
    "overall_contact": (f"{_PEOPLE}/centralContacts", CONTACT),
    "overall_contact_backup": (f"{_PEOPLE}/centralContacts", CONTACT),
    "overall_official": (
        f"{_PEOPLE}/overallOfficials",
        {
            "last_name": ("name", as_text),
            "affiliation": ("affiliation", as_text),
            "role": ("role", _word("OfficialRole")),
        },
    ),
    "location": (
        f"{_PEOPLE}/locations",
        {
            "facility/name": ("facility", as_text),
            "status": ("status", _word("RecruitmentStatus")),
            "facility/address/city": ("city", as_text),
            "facility/address/state": ("state", as_text),
            "facility/address/zip": ("zip", as_text),
            "facility/address/country": ("country", as_text),
        },
    ),
    "reference": (f"{_P}/referencesModule/references", {"PMID": ("pmid", as_text), "citation": ("citation", as_text)}),
    "results_reference": (
        f"{_P}/referencesModule/references",
        {"PMID": ("pmid", as_text), "citation": ("citation", as_text)},
    ),
    "link": (f"{_P}/referencesModule/seeAlsoLinks", {"description": ("label", as_text), "url": ("url", as_text)}),
    "removed_countries/country": ("/derivedSection/miscInfoModule/removedCountries", {}),
    "patient_data/ipd_info_type": (f"{_IPD}/infoTypes", {}),
}
IPD_TYPES = {
    "Study Protocol": "STUDY_PROTOCOL",
    "Statistical Analysis Plan (SAP)": "SAP",
    "Statistical Analysis Plan": "SAP",
    "Informed Consent Form (ICF)": "ICF",
    "Informed Consent Form": "ICF",
    "Clinical Study Report (CSR)": "CSR",
    "Clinical Study Report": "CSR",
    "Analytic Code": "ANALYTIC_CODE",
}
#: What the study repeats elsewhere, or counts, or says of the download.
REPEATED = (
    "last_update_submitted_qc",
    "required_header",
    "location_countries",
    "number_of_arms",
    "number_of_groups",
    "rank",
)
