"""Values of params and context as tokens of the full-text table, and conditions on them as its questions.

A token is path, a sign, value, each character by itself: what FTS5's ascii tokenizer would split at or fold (all of
ASCII but digits and small letters) becomes a character of Unicode's private use area. So a token is never split, never
equal to a word (no word has such a character), and the token of a prefix is a prefix of the token.
"""

from __future__ import annotations

import json
import sqlite3

from hysds.core.searched import Searched, searched
from hysds.core.where import How, Where

_BASE = 0xE000
_SIGN, _ESCAPE = chr(_BASE + 0x80), chr(_BASE + 0x81)
_KEPT = frozenset("0123456789abcdefghijklmnopqrstuvwxyz")
_MAPPED = {code: chr(_BASE + code) for code in range(0x80) if chr(code) not in _KEPT}
_OWN = {code: _ESCAPE + chr(code) for code in range(_BASE, _BASE + 0x100)}
_TABLE = _MAPPED | _OWN


def text(found: Searched) -> str:
    """What the full-text table is given of a document: its words and its leaves' tokens."""
    return " ".join([*found.words, *[_token(path, value) for path, value in found.leaves]])


def question(where: Where) -> str:
    """The condition in FTS5's query language."""
    token = _token(where.leaf, where.value)
    return f'"{token}"' if where.how is How.IS else f'"{token}" *'


def add(connection: sqlite3.Connection) -> None:
    """Make the full-text table anew from the documents, inside the caller's transaction: 10^6 take some minutes."""
    connection.create_function("text_of_body", 1, _text_of_body, deterministic=True)
    connection.execute("UPDATE documents SET words = text_of_body(body)")
    connection.execute("INSERT INTO full_text (full_text) VALUES ('rebuild')")


def _text_of_body(body: str) -> str:
    return text(searched(json.loads(body)))


def _token(path: str, value: str) -> str:
    return f"{path.translate(_TABLE)}{_SIGN}{value.translate(_TABLE)}"
