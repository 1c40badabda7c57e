"""A job's output on our own: its bytes as they are, stdout to stdout, stderr to stderr; and lines of ours between.

A line of ours never hangs on the end of one of the job's: where the job's last byte was no newline, ours adds one.
"""

from __future__ import annotations

import base64
import errno
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import click

from hysds.cli import tables, words
from hysds.core.attempts import number
from hysds.lib import units
from hysds.ports.logs import NOTE
from hysds.sdk.following import Began, Missed, Output, Seen

_COPIED = 1 << 16


class Screen:
    """Where output goes. `out` and `err` are binary, and may be the same."""

    def __init__(self, out: IO[bytes], err: IO[bytes], outlives_readers: bool = False) -> None:
        """`outlives_readers`: what can't be shown any more, as its reader left, is dropped; else that is an error."""
        self._out = out
        self._err = err
        self._outlives_readers = outlives_readers
        self._open_lines: dict[int, bool] = {}
        self._left: set[int] = set()

    @classmethod
    def of_process(cls) -> Screen:
        """Our own stdout and stderr."""
        return cls(sys.stdout.buffer, sys.stderr.buffer)

    def show(self, stream: str, data: bytes) -> None:
        """Bytes of the job, at once."""
        if stream == NOTE:
            self.say(f"note: {words.clean(data.decode(errors='replace').rstrip())}")
            return
        self._write(self._err if stream == "stderr" else self._out, data)

    def say(self, text: str) -> None:
        """A line of ours on stderr. On a terminal it begins where no output of the job is on the line."""
        self._finish_lines()
        self._write(self._err, f"{text}\n".encode(errors="backslashreplace"))

    def conclude(self, text: str) -> None:
        """A line of ours on stdout."""
        self._finish_lines()
        self._write(self._out, f"{text}\n".encode(errors="backslashreplace"))

    def _finish_lines(self) -> None:
        for target in (self._out, self._err):
            if self._open_lines.get(id(target)):
                self._write(target, b"\n")

    def _write(self, target: IO[bytes], data: bytes) -> None:
        if not data or id(target) in self._left:
            return
        try:
            target.write(data)
            target.flush()
        except OSError as error:
            if not self._outlives_readers:
                raise
            self._left.add(id(target))
            # A closed pipe or terminal has nobody to tell; a full disk has.
            if error.errno not in (errno.EPIPE, errno.EIO):
                self.say(f"output can't be shown any more: {error.strerror}; the job's files have it")
        self._open_lines[id(target)] = not data.endswith(b"\n")


class People:
    """What was seen of a job, for people: its output, and on stderr what happens to it. `says_all`: attempts too."""

    def __init__(self, screen: Screen, says_all: bool) -> None:
        self._screen = screen
        self._says_all = says_all
        self._attempts = 0
        self._place = "its work directory"

    def __call__(self, seen: Seen) -> None:
        if isinstance(seen, Output):
            self._screen.show(seen.chunk.stream, seen.chunk.data)
        elif isinstance(seen, Missed):
            size = units.format_size(seen.size_bytes)
            self._screen.say(
                f"missed {size} of output; all of it is in _stdout.txt and _stderr.txt, {self._place}"
            )
        elif isinstance(seen, Began):
            self._attempts += 1
            worker = words.clean(seen.worker.partition("/")[0])
            self._place = f"{seen.files} below the work_dir of {worker}"
            if self._says_all or self._attempts > 1:
                self._screen.say(f"attempt {self._attempts} runs on {worker}")


class Machines:
    """What was seen of a job, one JSON object a line; `base64` takes the place of `text` for what is not UTF-8."""

    def __call__(self, seen: Seen) -> None:
        if isinstance(seen, Output):
            chunk = seen.chunk
            place = {"fence": seen.fence, "stream": chunk.stream, "offset": chunk.offset}
            click.echo(tables.as_json(place | _as_text(chunk.data)))
        elif isinstance(seen, Missed):
            click.echo(tables.as_json({"fence": seen.fence, "missed_bytes": seen.size_bytes}))
        elif isinstance(seen, Began):
            place = {"fence": seen.fence, "worker": seen.worker, "files": seen.files}
            click.echo(tables.as_json(place))


Watcher = Callable[[Seen], None]


def pass_on(seen: Iterable[Seen], watcher: Watcher) -> bool:
    """Give everything to the watcher; answers whether there was output, or a trace of it."""
    found = False
    for one in seen:
        watcher(one)
        found = found or isinstance(one, Output | Missed)
    return found


def from_files(document: Mapping[str, Any], screen: Screen) -> int | None:
    """The output of the last attempt from its files; answers how many bytes, None where they are not on this host."""
    directory = job_dir(document)
    if directory is None:
        return None
    shown: int | None = None
    for stream, name in (("stdout", "_stdout.txt"), ("stderr", "_stderr.txt")):
        try:
            with (directory / name).open("rb") as file:
                shown = shown or 0
                while data := file.read(_COPIED):
                    screen.show(stream, data)
                    shown += len(data)
        except OSError as error:
            screen.say(f"{words.clean(str(directory / name))} can't be read: {error.strerror}")
    return shown


def job_dir(document: Mapping[str, Any]) -> Path | None:
    """The work directory of the last attempt, where it is on this host."""
    attempts = document.get("attempts") or [{}]
    named = attempts[-1].get("job_dir")
    fence = number(attempts[-1], "fence")
    # Its name holds id and fence: a directory of that name on another host is no other job's.
    if not isinstance(named, str) or not named.endswith(f"{document.get('id')}.f{fence}"):
        return None
    directory = Path(named)
    return directory if directory.is_dir() else None


def _as_text(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}
