"""Arrays: one spec for many jobs that differ in their index, written `0-999`, `0-999:10`, `1,4,7-9`, with `%50` behind
it for at most fifty of them at once.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hysds.core.spec import JobSpec, split

MAX_MEMBERS = 100_000
MAX_INDEX = 10**9
WORD = "$array_index"
"""A word of the command that is the member's index; as a whole word only, as `$name` of a job type's command."""

_PART = re.compile(r"(\d{1,10})(?:-(\d{1,10})(?::(\d{1,10}))?)?", re.ASCII)
_EXAMPLES = "write it as 0-999, 0-999:10, 1,4,7-9, or 0-999%50 for at most fifty at once"


@dataclass(frozen=True, slots=True)
class Array:
    """The indices of the members, in the order given; how many may run at once (None: any number)."""

    ranges: tuple[range, ...]
    places: int | None = None

    def __len__(self) -> int:
        return sum(map(len, self.ranges))

    def indices(self) -> Iterator[int]:
        for each in self.ranges:
            yield from each


def parse(text: str) -> Array:
    """The array that a text describes.

    Raises: ValueError with what is wrong: the form, an index given twice or above MAX_INDEX, more than MAX_MEMBERS.
    """
    indices, percent, places = text.partition("%")
    if percent and (not re.fullmatch(r"\d{1,10}", places, re.ASCII) or not 1 <= int(places) <= MAX_INDEX):
        raise ValueError(f'"%{places[:80]}" is no number of members that may run at once; {_EXAMPLES}')
    array = Array(tuple(map(_range, indices.split(","))), int(places) if percent else None)
    if len(array) > MAX_MEMBERS:
        raise ValueError(f"has {len(array):,} members; at most {MAX_MEMBERS:,} can be submitted at once")
    seen: set[int] = set()
    for index in array.indices():
        if index in seen:
            raise ValueError(f"names index {index} twice")
        seen.add(index)
    return array


def _range(text: str) -> range:
    match = _PART.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'"{text[:80]}" is no index and no range of them; {_EXAMPLES}')
    first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
    if last > MAX_INDEX:
        raise ValueError(f"index {last} is above {MAX_INDEX}")
    if last < first:
        raise ValueError(f'"{text.strip()}" ends before it begins')
    if step == 0:
        raise ValueError(f'"{text.strip()}" has a step of 0')
    return range(first, last + 1, step)


def members(spec: JobSpec, array: Array) -> Iterator[JobSpec]:
    """The specs of an array's members: each with its index, none with what the whole waits for."""
    whole = replace(spec, array=None, after=None)
    words = _words(spec)
    for index in array.indices():
        member = _indexed(whole, words, index)
        yield member if spec.payload_hash is None else replace(member, payload_hash=_hash(spec, index))


def _hash(spec: JobSpec, index: int) -> str:
    """The caller's hash is that of the whole; no member does what another does."""
    return hashlib.sha256(f"{spec.payload_hash} {index}".encode()).hexdigest()


def alone(spec: JobSpec) -> JobSpec:
    """A spec that has an index of its own, its command filled in."""
    return spec if spec.array_index is None else _indexed(spec, _words(spec), spec.array_index)


def _words(spec: JobSpec) -> list[str] | None:
    """The words of the command where one of them is the index."""
    command = spec.payload.get("_command")
    if not isinstance(command, str) or WORD not in command:
        return None
    words = split(command)
    return words if WORD in words else None


def _indexed(spec: JobSpec, words: list[str] | None, index: int) -> JobSpec:
    if words is None:
        return replace(spec, array_index=index)
    command = shlex.join([str(index) if word == WORD else word for word in words])
    return replace(spec, array_index=index, payload={**spec.payload, "_command": command})
