"""A page as PDF, set from the same HTML; what a virtual trial says stands in the margin of every page."""

from __future__ import annotations

from pathlib import Path

from trialwright.core.finding import Refused, finding

#: Where the page says it stands, so that its links to itself are links in the PDF; nothing is fetched.
_NOWHERE = "file:///report.html"
_MARGINS = """
@page {{
  margin: 22mm 16mm 18mm;
  @top-center {{
    content: "{banner}";
    font: bold 8pt sans-serif;
    color: #7a5a00;
  }}
  @bottom-left {{
    content: "{footer}";
    font: 7pt sans-serif;
    color: #595959;
  }}
}}
.banner {{ display: none; }}
section {{ break-before: page; }}
section:first-of-type, #work, #provenance, #boundary {{ break-before: auto; }}
.contents {{ display: none; }}
figure.table {{ break-inside: avoid; }}
figure.table.long {{ break-inside: auto; }}
table {{ font-size: 7.5pt; }}
th, td {{ padding: .9mm 1.6mm; }}
"""


def write_pdf(html: str, to: Path, banner: str, footer: str) -> None:
    """Write a page as PDF; `banner` and `footer` stand on every page.

    `Refused` where the optional package that sets it is not installed.
    """
    try:
        import plutoprint
    except ImportError as missing:
        raise Refused(finding("pdf_missing", path=to.name)) from missing
    book = plutoprint.Book(plutoprint.PAGE_SIZE_A4)
    book.load_html(html, user_style=_MARGINS.format(banner=_quoted(banner), footer=_quoted(footer)), base_url=_NOWHERE)
    book.write_to_pdf(str(to))


def _quoted(text: str) -> str:
    """A text as it may stand in a style sheet's string."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
