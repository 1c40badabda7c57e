"""The page of guarantees names tests: each of them must exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_PAGE = (_ROOT / "docs" / "guarantees.md").read_text()
_NAMED = sorted(set(re.findall(r"(test/[\w/]+(?:\.py)?)(?::(test_\w+))?", _PAGE)))
_LINKED = sorted(set(re.findall(r"\]\(([\w-]+\.md)\)", _PAGE)))


@pytest.mark.parametrize(("path", "name"), _NAMED)
def test_each_test_that_a_promise_names_exists(path: str, name: str) -> None:
    """Whoever renames or drops one has to say what tries to break the promise now."""
    file = _ROOT / path

    assert file.exists()
    if name:
        assert f"def {name}(" in file.read_text()


@pytest.mark.parametrize("page", _LINKED)
def test_each_page_that_it_links_exists(page: str) -> None:
    """A report that nobody wrote would be a promise without proof."""
    assert (_ROOT / "docs" / page).exists()
