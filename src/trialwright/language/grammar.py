"""The parser of `grammar.lark`, from tables that were worked out once: to do it anew takes a tenth of a second.

`python -m scripts.grammar` writes them. They serve while they are those of this grammar and this version of lark.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from importlib import resources
from typing import Any, TypeAlias

import lark
from lark import Lark

TABLES = "grammar.json"
Tables: TypeAlias = dict[Any, Any]


def parser() -> Lark:
    """The parser, from the tables where they fit, else from the grammar: both read the same."""
    tables = json.loads(_read(TABLES), object_pairs_hook=_numbered)
    return Lark.load(tables) if tables["of"] == identity() else from_grammar()


def from_grammar() -> Lark:
    """The parser, worked out from the grammar."""
    return Lark(
        _read("grammar.lark"), parser="lalr", lexer="contextual", propagate_positions=True, maybe_placeholders=False
    )


def identity() -> str:
    """What the tables depend on: the text of the grammar, and the version of lark."""
    return f"{hashlib.sha256(_read('grammar.lark').encode()).hexdigest()} lark {lark.__version__}"


def tables() -> Tables:
    """The tables as `Lark.load` takes them, worked out from the grammar."""
    saved = io.BytesIO()
    from_grammar().save(saved)
    return {"of": identity(), **pickle.loads(saved.getvalue())}


def _read(name: str) -> str:
    return (resources.files("trialwright.language") / name).read_text("utf-8")


def _numbered(pairs: list[tuple[str, Any]]) -> Tables:
    """A table with the numbers as keys that JSON made words of."""
    return {int(key) if key.isdigit() else key: value for key, value in pairs}
