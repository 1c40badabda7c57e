"""Parameters from the command line and from a file."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from hysds.cli import given_params
from hysds.core.errors import InvalidSpec


def test_the_command_line_comes_before_the_file(tmp_path: Path) -> None:
    """A value ends where the argument ends, whatever it holds."""
    file = tmp_path / "params.json"
    file.write_text('{"a": 1, "b": [2]}')

    assert given_params.given(("a=x=y", "c="), str(file)) == {"a": "x=y", "b": [2], "c": ""}


def test_a_colon_before_the_equals_sign_says_json() -> None:
    """A creator gets a number, a list, true; without it a text, whatever it looks like."""
    pairs = ("size:=3", 'scenes:=["a"]', "name:=null", "text=3", "url=http://x:=y")

    found = {"size": 3, "scenes": ["a"], "name": None, "text": "3", "url": "http://x:=y"}
    assert given_params.given(pairs, None) == found


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (("a",), "NAME=TEXT"),
        (("=1",), "NAME=TEXT"),
        ((":=1",), "NAME=TEXT"),
        (("a=1", "a=2"), "given twice"),
        (("a=1", "a:=2"), "given twice"),
        (("a:=x",), "not JSON"),
        (('a:={"b": 1, "b": 2}',), "given twice"),
    ],
)
def test_a_pair_that_is_none_is_refused(pairs: tuple[str, ...], said: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(click.UsageError, match=said):
        given_params.given(pairs, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[]", "must be an object, not a list"),
        (b"{", "not JSON"),
        (b'{"a": 1, "a": 2}', r"\$\.a: given twice"),
        (b'{"a": "' + b"x" * given_params.MAX_BYTES + b'"}', "more than 1,000,000 bytes"),
    ],
)
def test_a_file_that_is_no_object_is_refused(tmp_path: Path, text: bytes, said: str) -> None:
    """The file is named, and what is wrong with it."""
    file = tmp_path / "params.json"
    file.write_bytes(text)

    with pytest.raises(InvalidSpec, match=f"params.json.*{said}"):
        given_params.given((), str(file))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """With the words of the system."""
    with pytest.raises(InvalidSpec, match="can't be read: No such file"):
        given_params.given((), str(tmp_path / "nowhere"))
