"""What a word is, for documents and searches alike."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hysds.core import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Größe_v2.tif", ["grösse", "v2", "tif"]),
        ("s3://bucket/a-b_C", ["s3", "bucket", "a", "b", "c"]),
        ("ﬁle ＡＢＣ Ⅳ", ["file", "abc", "iv"]),
        ("e\u0301t\u00e9", ["été"]),
        ("全文 검색", ["全文", "검색"]),
        ("a\0b\ud800c", ["a", "b", "c"]),
        ("*** %_ '\"", []),
        ("x" * 100, ["x" * 64]),
    ],
)
def test_a_word_is_a_folded_run_of_letters_and_digits(text: str, expected: list[str]) -> None:
    """NFKC, case-folded, cut to 64 characters; everything else separates."""
    assert words.words(text) == expected


@given(st.text(max_size=60))
def test_words_hold_nothing_that_a_tokenizer_would_split(text: str) -> None:
    """No space, quote or other ASCII separator is in a word: joined by spaces they come apart as they were."""
    found = words.words(text)

    assert " ".join(found).split(" ") == (found or [""])
    assert all(char.isalnum() for word in found for char in word)


@settings(max_examples=1000)
@given(st.text(max_size=60))
def test_the_words_of_words_are_themselves(text: str) -> None:
    """A document is found by each of its own words, given as a search."""
    for word in words.words(text):
        assert words.words(word) == [word]


def test_only_the_first_words_of_a_large_document_are_kept() -> None:
    """2,000 different ones, in order, however often each comes."""
    texts = [
        " ".join(f"w{number} w{number}" for number in range(start, start + 500))
        for start in range(0, 3000, 500)
    ]

    assert words.distinct(texts) == tuple(f"w{number}" for number in range(words.MAX_WORDS))
