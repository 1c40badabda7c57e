"""What full text means: the words of a text, the same for every store.

A text is brought to Unicode's NFKC form and case-folded, twice; a word is a longest run of letters and digits in
it, cut to MAX_WORD_LENGTH. Everything else separates: `Größe_v2.tif` has the words `grösse` (folded `ß`),
`v2` and `tif`. A search finds a document that has *all* words of the searched text, each whole, wherever
and in whatever order they stand. There are no wildcards, no phrases and no stemming, so that each store
answers alike: it keeps the words as they come from here and splits nothing itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MAX_WORD_LENGTH = 64
"""Longer runs are cut, in documents and in searches alike."""

MAX_WORDS = 2_000
"""The most distinct words that one document is found by, in the order of `core.searched`'s texts."""

_SCANNED = 65_536
_SCANNED_IN_ALL = 1_000_000
"""Characters of one text, and of all texts of a document, that are looked at."""

_ASCII_RUN = re.compile(r"[0-9a-z]+")
_RUN = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """The words of a text in order, repetitions included."""
    return _words(text[:_SCANNED])


def distinct(texts: Iterable[str]) -> tuple[str, ...]:
    """The first MAX_WORDS different words of all texts, in the order in which they come."""
    # One pass over all of them together: a document has many short texts.
    joined = " ".join([text[:_SCANNED] for text in texts])
    return tuple(dict.fromkeys(_words(joined[:_SCANNED_IN_ALL])))[:MAX_WORDS]


def _words(text: str) -> list[str]:
    runs = _ASCII_RUN.findall(text.lower()) if text.isascii() else _RUN.findall(_folded(_folded(text)))
    return [run[:MAX_WORD_LENGTH] for run in runs]


def _folded(text: str) -> str:
    """Twice makes it final: folding can take a character out of normal form, and the other way round."""
    return unicodedata.normalize("NFKC", text).casefold()
