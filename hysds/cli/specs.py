"""Job specs from files and from stdin."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import click

from hysds.cli import submit_dir, words
from hysds.core import arrays, json_text
from hysds.core.errors import Complaint, InvalidSpec
from hysds.core.parse import MAX_SPEC_BYTES
from hysds.core.spec import TASK, JobSpec
from hysds.sdk.client import Client

STDIN = "-"
_MOST = MAX_SPEC_BYTES + 1


@dataclass(frozen=True, slots=True)
class Loaded:
    """Specs in order, and what each is called: its file, with the number of its line where that holds several."""

    names: Sequence[str]
    specs: Sequence[JobSpec]


def load(name: str, client: Client, force: bool = False) -> JobSpec:
    """The one spec in a file; `-` is stdin. `force`: it is to be no duplicate.

    Raises: InvalidSpec with all complaints, each naming the file, also that it can't be read.
    """
    return _loaded([_Source(name)], client, force, None).specs[0]


def load_all(names: Sequence[str], client: Client, force: bool = False, array: str | None = None) -> Loaded:
    """The specs in these files, one each or one a line. `array`: the indices of which each of them is to have a member.

    Raises: as `load`.
    """
    if names.count(STDIN) > 1:
        raise click.UsageError("stdin can be read once: give - once")
    _check_array(array)
    return _loaded([_Source(name, several=True) for name in names], client, force, array)


def _loaded(sources: Sequence[_Source], client: Client, force: bool, array: str | None) -> Loaded:
    names: list[str] = []
    specs: list[JobSpec] = []
    complaints: list[Complaint] = []
    for source in sources:
        try:
            texts = list(source.texts())
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            complaints.append(Complaint(_shown(source.name), f"can't be read: {reason}"))
            continue
        for name, text in texts:
            try:
                specs.append(_as_array(submit_dir.given(client.parse(text), os.getcwd()), array))
                names.append(name)
            except InvalidSpec as refusal:
                complaints += [Complaint(f"{name}: {one.path}", one.message) for one in refusal.complaints]
    if complaints:
        raise InvalidSpec(tuple(complaints))
    for note in dict.fromkeys(words.unread(spec) for spec in specs):
        if note:
            click.echo(note, err=True)
    return Loaded(names, [replace(spec, enable_dedup=False) for spec in specs] if force else specs)


def check(names: Sequence[str], specs: Sequence[JobSpec], client: Client) -> None:
    """Whether the types and policies in force allow these specs, which are called so.

    Raises: InvalidSpec with the complaints about all of them, each naming its file.
    """
    complaints: list[Complaint] = []
    for name, spec in zip(names, specs, strict=True):
        try:
            client.check(spec)
        except InvalidSpec as refusal:
            complaints += [Complaint(f"{name}: {one.path}", one.message) for one in refusal.complaints]
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


@dataclass(frozen=True, slots=True)
class _Source:
    """A file with a spec. `several`: it may hold more of them, each on a line of its own."""

    name: str
    several: bool = False

    def texts(self) -> Iterator[tuple[str, bytes]]:
        """Each spec's name and text; of one that is too large not more than shows that.

        Raises: OSError, ValueError.
        """
        with (
            contextlib.nullcontext(sys.stdin.buffer) if self.name == STDIN else open(self.name, "rb") as file
        ):
            first = file.readline(_MOST)
            if not (self.several and _is_object(first)):
                yield _shown(self.name), first + file.read(_MOST - len(first))
                return
            lines = enumerate((first, *iter(lambda: file.readline(_MOST), b"")), 1)
            found = [(number, line) for number, line in lines if line.strip()]
        if len(found) > arrays.MAX_MEMBERS:
            raise ValueError(f"it has {len(found):,} specs; at most {arrays.MAX_MEMBERS:,} are taken at once")
        for number, line in found:
            yield _shown(self.name) if len(found) == 1 else f"{_shown(self.name)}:{number}", line


def _is_object(line: bytes) -> bool:
    """Whether a line is a whole JSON object."""
    try:
        return isinstance(json_text.decode(line)[0], dict)
    except InvalidSpec:
        return False


def _shown(name: str) -> str:
    return "stdin" if name == STDIN else name
