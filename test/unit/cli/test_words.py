"""Values as people see them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysds.cli import words


@given(st.text())
def test_what_is_shown_can_not_steer_a_terminal(text: str) -> None:
    """Whatever a job wrote, what is shown of it is on one line and prints."""
    assert words.clean(text).isprintable()


def test_text_that_prints_stays_as_it_is() -> None:
    """Letters of all scripts, and pictures, are shown."""
    assert words.clean("grösse 数 🚀 [red]") == "grösse 数 🚀 [red]"


def test_an_escape_sequence_is_shown_as_its_letters() -> None:
    """The reader sees that it was there."""
    assert words.clean("a\x1b[2Jb\n\x00\u202e") == "a\\x1b[2Jb\\n\\x00\\u202e"


@pytest.mark.parametrize(
    ("duration_s", "text"),
    [(0, "0 ms"), (0.0042, "4 ms"), (1.234, "1.23 s"), (59.9, "59.90 s"), (61, "1m01s"), (5400, "1h30m")],
)
def test_durations_have_three_digits_that_matter(duration_s: float, text: str) -> None:
    """Milliseconds below a second, hundredths below a minute, whole seconds and minutes above."""
    assert words.seconds(duration_s) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), ("a", "a"), (True, "yes"), (False, "no"), (3, "3"), ([1], "[1]")]
)
def test_values_of_a_document_become_text(value: object, text: str) -> None:
    """None is nothing; what is no text is shown as JSON."""
    assert words.shown(value) == text


def test_long_text_is_cut_visibly() -> None:
    """A cut cell ends in an ellipsis and has the length asked for."""
    assert words.cut("abcdef", 4) == "abc…"
    assert words.cut("abcd", 4) == "abcd"
