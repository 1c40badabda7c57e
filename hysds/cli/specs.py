"""Job specs from files and from stdin."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace

import click

from hysds.cli import submit_dir, words
from hysds.core import arrays, json_text
from hysds.core.errors import Complaint, InvalidSpec
from hysds.core.parse import MAX_SPEC_BYTES
from hysds.core.spec import TASK, JobSpec
from hysds.sdk.client import Client

STDIN = "-"


def load(
    names: Sequence[str], client: Client, force: bool = False, array: str | None = None
) -> list[JobSpec]:
    """The specs in these files, in order; `-` is stdin. `force`: none of them is to be a duplicate. `array`: the
    indices of which each of them is to have a member.

    Raises: InvalidSpec with the complaints about all of them, each naming its file, also that it can't be read.
    """
    if names.count(STDIN) > 1:
        raise click.UsageError("stdin can be read once: give - once")
    _check_array(array)
    specs: list[JobSpec] = []
    complaints: list[Complaint] = []
    for name in names:
        try:
            text = _text(name)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            complaints.append(Complaint(_shown(name), f"can't be read: {reason}"))
            continue
        try:
            specs.append(_as_array(submit_dir.given(client.parse(text), os.getcwd()), array))
        except InvalidSpec as refusal:
            complaints += [
                Complaint(f"{_shown(name)}: {one.path}", one.message) for one in refusal.complaints
            ]
    if complaints:
        raise InvalidSpec(tuple(complaints))
    for note in dict.fromkeys(words.unread(spec) for spec in specs):
        if note:
            click.echo(note, err=True)
    return [replace(spec, enable_dedup=False) for spec in specs] if force else specs


def check(names: Sequence[str], specs: Sequence[JobSpec], client: Client) -> None:
    """Whether the types and policies in force allow these specs, which came from these files.

    Raises: InvalidSpec with the complaints about all of them, each naming its file.
    """
    complaints: list[Complaint] = []
    for name, spec in zip(names, specs, strict=True):
        try:
            client.check(spec)
        except InvalidSpec as refusal:
            complaints += [
                Complaint(f"{_shown(name)}: {one.path}", one.message) for one in refusal.complaints
            ]
    if complaints:
        raise InvalidSpec(tuple(complaints))


def _check_array(array: str | None) -> None:
    try:
        arrays.parse(array or "0")
    except ValueError as error:
        raise click.UsageError(f"--array: {error}") from error


def _as_array(spec: JobSpec, array: str | None) -> JobSpec:
    """Raises: InvalidSpec for a spec that can't be an array."""
    if array is None:
        return spec
    if spec.kind == TASK:
        json_text.refuse("$.kind", "a task can't be an array: call it once for each")
    if spec.array_index is not None:
        json_text.refuse("$.array_index", "contradicts --array; keep one of them")
    return replace(spec, array=array)


def _text(name: str) -> bytes:
    """What a file holds, but not more than shows that it is too large."""
    if name == STDIN:
        return sys.stdin.buffer.read(MAX_SPEC_BYTES + 1)
    with open(name, "rb") as file:
        return file.read(MAX_SPEC_BYTES + 1)


def _shown(name: str) -> str:
    return "stdin" if name == STDIN else name
