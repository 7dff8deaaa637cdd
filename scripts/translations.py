"""Gather every text of the pages into the catalogue of each language, and compile it for Django.

    python -m scripts.translations            # new texts are added without a translation, texts that are gone leave
    python -m scripts.translations --check    # change nothing; exit 1 and name what is not translated or not compiled

A text stands in a template (`{% translate %}`, `{% blocktranslate %}`), in a call of `gettext` under any of its names,
or in one of the tables of words below, which templates translate where they show them.
"""

from __future__ import annotations

import ast
import io
import json
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast, get_args

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.template import Engine
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils.translation import to_locale

from trialwright.core.truth import Truth
from trialwright.exchange import csv_sheet
from trialwright.ledger.vault import Vault
from trialwright.protocol.adverse_event import RELATEDNESS
from trialwright.protocol.load import load
from trialwright.protocol.reading import chapters
from trialwright.trial import clocks, custody, delegations, schedule
from trialwright.views import alerts
from trialwright.web.desk import Desk
from trialwright.web.settings import LANGUAGES as OFFERED
from trialwright.web.settings import Options, configure
from trialwright.web.summary import STATUSES

WEB = Path(__file__).parent.parent / "src" / "trialwright" / "web"
#: The languages that need a catalogue, as folders are called.
LANGUAGES = tuple(to_locale(code) for code, _ in OFFERED if code != "en")
_CALLS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}

#: A text, or its singular and its plural.
Text = str | tuple[str, str]


def main(words: list[str]) -> int:
    """Bring the catalogues up to date, or with `--check` say what is wrong with them."""
    texts = dict.fromkeys(gathered())
    faults = []
    for name in LANGUAGES:
        folder = WEB / "locale" / name / "LC_MESSAGES"
        catalogue = merged(folder / "django.po", name, texts)
        faults += [f"{name}: not translated: {one}" for one in untranslated(catalogue)]
        source, compiled = io.BytesIO(), io.BytesIO()
        write_po(source, catalogue, width=120, omit_header=False, sort_output=True, no_location=True)
        write_mo(compiled, catalogue)
        for file, content in ((folder / "django.po", source), (folder / "django.mo", compiled)):
            if file.exists() and file.read_bytes() == content.getvalue():
                continue
            faults.append(f"{name}: {file.name} is stale; run: python -m scripts.translations")
            if "--check" not in words:
                folder.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content.getvalue())
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def gathered() -> Iterator[Text]:
    """Every text of templates, code and tables, in the order in which they are found."""
    if not settings.configured:
        configure(cast(Desk, None), Options(":memory:", "nothing is served"), cast(Vault, None))
    engine = Engine.get_default()
    for file in sorted((WEB / "templates").rglob("*.html")):
        yield from of_template(engine, file.read_text("utf-8"))
    for file in sorted(WEB.rglob("*.py")):
        yield from of_code(file.read_text("utf-8"))
    yield from filter(None, of_tables())
    yield from of_protocols()


def of_template(engine: Any, source: str) -> Iterator[Text]:
    """The texts of one template."""
    template = engine.from_string(source)
    for node in template.nodelist.get_nodes_by_type(TranslateNode):
        literal = getattr(node.filter_expression.var, "literal", None)
        if isinstance(literal, str):
            yield literal
    for node in template.nodelist.get_nodes_by_type(BlockTranslateNode):
        singular = node.render_token_list(node.singular)[0]
        yield (singular, node.render_token_list(node.plural)[0]) if node.plural else singular
    yield from (one or other for one, other in re.findall(r"""\b_\((?:"([^"]+)"|'([^']+)')\)""", source))


def of_code(source: str) -> Iterator[Text]:
    """The texts of one module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
            told = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if told:
                yield (told[0], told[1]) if node.func.id.startswith("n") else told[0]


def of_tables() -> Iterator[str]:
    """Words that the code keeps in tables or in states, and that a page translates where it shows them."""
    from trialwright.web import passkeys, proof, second_factor  # they ask for settings when they are imported
    from trialwright.web.fields import ANSWERS
    from trialwright.web.order_choices import ERASURE_REASONS
    from trialwright.web.orders import ORDERS
    from trialwright.web.pages.product import LOT_STEPS, TONES

    for order in ORDERS.values():
        yield from (str(one) for one in (order.title, order.button, order.lead, order.meaning))
        for ask in order.asks:
            yield from (str(ask.label), str(ask.help))
    yield from delegations.ROLES
    yield from csv_sheet.SEPARATORS.values()
    for states in (schedule.Standing, clocks.Standing, alerts.Standing, custody.UnitState):
        yield from get_args(states)
    yield from (
        *LOT_STEPS,
        *TONES,
        "recalled",
        *ANSWERS,
        *RELATEDNESS,
        *STATUSES,
        "inclusion",
        "exclusion",
        "virtual",
        "real",
    )
    yield from (one.value for one in Truth)
    yield from (proof.PASSWORD, proof.DEMONSTRATION, second_factor.CODE, second_factor.RECOVERY, passkeys.PASSKEY)
    yield from ERASURE_REASONS


def of_protocols() -> Iterator[str]:
    """What the page of the protocol calls its parts, with the trials of the project."""
    for folder in sorted((WEB.parents[2] / "protocols").iterdir()):
        protocol, _ = load(folder)
        if protocol is None:
            continue
        own = json.dumps(protocol.document.model_dump(mode="json")).lower().replace("_", " ")
        for chapter in chapters(protocol):
            yield chapter.title
            told = (line.of for clause in chapter.clauses for line in clause.lines)
            yield from (one for one in told if f'"{one.lower()}"' not in own and not one.startswith("If "))


def merged(file: Path, name: str, texts: Iterable[Text]) -> Catalog:
    """The catalogue with these texts and no others; what was translated stays translated."""
    known: Catalog = read_po(io.BytesIO(file.read_bytes()), locale=name) if file.exists() else Catalog(locale=name)
    made = Catalog(
        locale=name, project="trialwright", version="", header_comment="# The pages of Trialwright.",
        creation_date=_NEVER, revision_date=_NEVER, last_translator="", language_team="", charset="utf-8", fuzzy=False,
    )  # fmt: skip
    for text in texts:
        earlier = known.get(text[0] if isinstance(text, tuple) else text)
        made.add(text, earlier.string if earlier is not None else "", flags={"python-format"} & _flags(text))
    return made


def untranslated(catalogue: Catalog) -> list[str]:
    """The texts that have no translation, or one with other values in it."""
    faults = []
    for one in catalogue:
        told, ids = _parts(one.string), _parts(one.id)
        if one.id and (not all(told) or any(_values(each) != _values(ids[-1]) for each in told)):
            faults.append(ids[0])
    return faults


_NEVER = datetime(2026, 1, 1, tzinfo=UTC)  # a day in the header would make every run a change


def _parts(text: object) -> tuple[str, ...]:
    return tuple(map(str, text)) if isinstance(text, (tuple, list)) else (str(text or ""),)


def _values(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s", text))


def _flags(text: Text) -> set[str]:
    return {"python-format"} if _values(text[-1] if isinstance(text, tuple) else text) else set()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
