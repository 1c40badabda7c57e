"""Ids on the command line and from stdin."""

from __future__ import annotations

import io

import click
import pytest

from hysds.cli import id_arguments


def test_ids_of_stdin_stand_where_the_dash_stood() -> None:
    """Each once, in order, whatever blanks are between them."""
    stdin = io.StringIO("b c\n\n  a\nd\n")

    assert id_arguments.given(["a", "-", "e", "a"], stdin) == ["a", "b", "c", "d", "e"]


def test_stdin_is_read_once() -> None:
    """Twice would be nothing the second time."""
    with pytest.raises(click.UsageError, match="stdin can be read once"):
        id_arguments.given(["-", "-"])


def test_no_id_at_all_is_a_wrong_use() -> None:
    """A search that found nothing must not look like work that was done."""
    with pytest.raises(click.UsageError, match="no id was given"):
        id_arguments.given(["-"], io.StringIO("\n"))
