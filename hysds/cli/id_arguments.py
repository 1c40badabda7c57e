"""Ids on the command line, and more of them than it takes: `-` reads them from stdin."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

import click

STDIN = "-"


def given(arguments: Sequence[str], stdin: TextIO | None = None) -> list[str]:
    """The ids in order, each once; those of stdin, between blanks, stand where the `-` stood. `stdin` of None: our own.

    Raises: UsageError where stdin is named twice, or no id was given in all.
    """
    if list(arguments).count(STDIN) > 1:
        raise click.UsageError("stdin can be read once: give - once")
    found: list[str] = []
    for argument in arguments:
        found += (stdin or sys.stdin).read().split() if argument == STDIN else [argument]
    if not found:
        raise click.UsageError("no id was given")
    return list(dict.fromkeys(found))
