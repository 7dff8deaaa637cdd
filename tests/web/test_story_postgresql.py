"""The whole story in a real browser, with ledger, accounts and vault on PostgreSQL; it runs beside the other one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.test_story import Served, browser, served, tells

__all__ = ["browser", "served"]


@pytest.fixture
def place(postgresql_place: str) -> str:
    """An empty schema."""
    return postgresql_place


def test_the_whole_story_on_postgresql(browser: Any, served: Served) -> None:
    tells(browser, served)
