"""One door for every record: API v2 JSON, the legacy XML, or a registry page saved as text."""

from __future__ import annotations

import re

from trialwright.core.finding import Finding, Grade, Refused, Where, finding
from trialwright.core.hidden import may_hide
from trialwright.registry.doubts import doubts
from trialwright.registry.pages.page import read_page
from trialwright.registry.read_json import read_json
from trialwright.registry.read_xml import read_xml
from trialwright.registry.record import Record

#: The largest record that is read; the largest study with results on the registry has some 6 MB.
LARGEST = 32_000_000
#: The largest page in characters, and its lines; a record's page has some 20,000, with hundreds of sites 200,000.
LARGEST_PAGE, MOST_LINES = 500_000, 10_000
#: How JSON writes a character that is no letter of the text: in four digits, or as a backspace or a form feed.
_ESCAPES = re.compile(r"\\[ubf]")
#: How JSON begins; a page may begin with a word in brackets.
_JSON = re.compile(r"\{|\[\s*(?:[\[{\"\d\]-]|true|false|null|$)")


def read_record(data: bytes | str, name: str = "") -> Record:
    """The record that lies in these bytes, whatever its form; `Refused` where none does.

    `name` is how findings call the file. Never asks the network; time grows with the size of the data.

    >>> record = read_record("A Study of Rest\\nNCT ID: NCT00000001\\nStudy Type: Interventional\\n")
    >>> record.study["protocolSection"]["identificationModule"]
    {'nctId': 'NCT00000001', 'briefTitle': 'A Study of Rest'}
    >>> record.places["/protocolSection/designModule/studyType"]
    Place(line=3, start=48, end=62, path='')
    """
    text, found = _text(data, name)
    form, hides = "page", True
    start = text.lstrip("\ufeff \t\r\n")[:200].lower()
    if _JSON.match(start):
        escapes = _ESCAPES.search(text) is not None
        study, places, more = read_json(text, name, escapes)
        form, hides = "json", escapes or may_hide(text)
    elif start.startswith(("<?xml", "<clinical_study", "<!doctype clinical_study", "<!--")):
        study, places, more = read_xml(text, name)
        form = "xml"
    else:
        if len(text) > LARGEST_PAGE or text.count("\n") > MOST_LINES:
            most = f"{LARGEST_PAGE} in {MOST_LINES} lines"
            raise Refused(finding("record_too_large", Where(name), size=len(text), most=most))
        study, places, more = read_page(text, name)
    kept = [*found, *more]
    already = {(one.code, one.where.path) for one in kept}
    kept += doubts(study, places, name, text if form == "page" else "", already, hides)
    order = sorted(kept, key=lambda one: (_GRADES[one.grade], one.where.line, one.where.path, one.code))
    return Record(study, places, tuple(order), name, form)  # type: ignore[arg-type]  # one of three


_GRADES = {Grade.ERROR: 0, Grade.WARNING: 1, Grade.NOTE: 2}


def _text(data: bytes | str, name: str) -> tuple[str, list[Finding]]:
    """The data as text, without a byte order mark."""
    if len(data) > LARGEST:
        raise Refused(finding("record_too_large", Where(name), size=len(data), most=LARGEST))
    found: list[Finding] = []
    if isinstance(data, bytes):
        wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
        if not wide and b"\x00" in data:
            raise Refused(finding("record_binary", Where(name)))
        try:
            text = data.decode("utf-16" if wide else "utf-8-sig")
        except UnicodeDecodeError:
            if wide:
                raise Refused(finding("record_binary", Where(name))) from None
            text = data.decode("cp1252", errors="replace")
            found.append(finding("record_encoding", Where(name), Grade.WARNING))
    else:
        text = data.removeprefix("\ufeff")
    if not text.strip():
        raise Refused(finding("record_empty", Where(name)))
    return text, found
