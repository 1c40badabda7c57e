"""`--param NAME=TEXT`, `--param NAME:=JSON`, `--params-file FILE`: what a submitter gives for a type's parameters."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from hysds.core import json_text
from hysds.core.errors import Complaint, InvalidSpec

MAX_BYTES = 1_000_000
_STDIN = "-"


def given(pairs: Sequence[str], file: str | None) -> dict[str, Any]:
    """The parameters by name; one that is given on the command line too counts there.

    Raises: InvalidSpec for a file that is no JSON object; UsageError for a pair that is none.
    """
    found = {} if file is None else _of_file(file)
    named: set[str] = set()
    for pair in pairs:
        name, equals, value = pair.partition("=")
        is_json, name = name.endswith(":"), name.removesuffix(":")
        if not equals or not name:
            raise click.UsageError(f"--param is NAME=TEXT or NAME:=JSON, not {pair!r}")
        if name in named:
            raise click.UsageError(f"--param {name} is given twice: keep one of them")
        named.add(name)
        found[name] = _of_json(name, value) if is_json else value
    return found


def _of_json(name: str, text: str) -> Any:
    try:
        value, is_doubled = json_text.decode(text.encode())
        if is_doubled:
            raise InvalidSpec(tuple(json_text.given_twice(value, "$")))
    except InvalidSpec as refusal:
        told = "; ".join(one.message for one in refusal.complaints)
        raise click.UsageError(f"--param {name}:={text}: {told}; a text is {name}=TEXT") from refusal
    return value


def _of_file(name: str) -> dict[str, Any]:
    where = "stdin" if name == _STDIN else name
    try:
        if name == _STDIN:
            text = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                text = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidSpec((Complaint(where, f"can't be read: {error.strerror}"),)) from error
    if len(text) > MAX_BYTES:
        raise InvalidSpec((Complaint(where, f"has more than {MAX_BYTES:,} bytes"),))
    try:
        document, is_doubled = json_text.decode(text)
    except InvalidSpec as refusal:
        told = (Complaint(f"{where}: {one.path}", one.message) for one in refusal.complaints)
        raise InvalidSpec(tuple(told)) from refusal
    if not isinstance(document, dict):
        raise InvalidSpec((Complaint(where, f"must be an object, not {json_text.kind(document)}"),))
    if is_doubled:
        raise InvalidSpec(tuple(json_text.given_twice(document, f"{where}: $")))
    return dict(document)
