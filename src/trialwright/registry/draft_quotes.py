"""The record's own words, as a protocol quotes them: found in the page, or left out."""

from __future__ import annotations

import re

_PREFIX = re.compile(r"[\s*•·●▪◦–—o-]*(?:\(?\d{1,3}[.)、])?[\s*•·●▪◦–—-]*")


class Page:
    """The page of a record, asked for quotations: what it does not hold is never quoted."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = [" ".join(line.split()) for line in text.splitlines()]
        self.lines = [line for line in self.lines if line]
        self._flat = " ".join(self.lines)
        self._whole = set(self.lines)

    def quote(self, words: str) -> list[str]:
        """The words as one quotation, with the bullet or number before them; none where the page does not hold them."""
        wanted = " ".join(words.split())
        if not wanted or not re.search(r"\w", wanted):
            return []
        if wanted in self._whole or self._holds(wanted):
            for line in self.lines:
                found = line.find(wanted)
                if found > 0 and _PREFIX.fullmatch(line[:found]):
                    marked = line[: found + len(wanted)]
                    if marked in self._whole or self._holds(marked):
                        return [marked]
            return [wanted]
        return [line for line in (" ".join(one.split()) for one in words.splitlines()) if line in self._whole]

    def quotes(self, *words: str) -> list[str]:
        """Several quotations, each once."""
        return list(dict.fromkeys(one for text in words for one in self.quote(text)))

    def _holds(self, wanted: str) -> bool:
        start = self._flat.find(wanted)
        while start >= 0:
            before, after = self._flat[start - 1 : start], self._flat[start + len(wanted) : start + len(wanted) + 1]
            if not (before.isalnum() and wanted[0].isalnum()) and not (after.isalnum() and wanted[-1].isalnum()):
                return True
            start = self._flat.find(wanted, start + 1)
        return False
