"""What a command left behind for HySDS to read: its own words on errors and messages, metrics.

All of it was written by the job: it may be missing, huge, broken, a link to somewhere else. Nothing here raises over
it; what can't be read is left out, and a note says so.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hysds.leasing.workdir import WorkDir

MAX_TEXT_BYTES = 64 * 1024
MAX_JSON_BYTES = 1024 * 1024
MAX_METRICS_BYTES = 8 * 1024 * 1024
"""Of all files of metrics together: what a job may have made large must not fill the worker's memory."""
MAX_ENTRIES = 20_000
"""So many directory entries are looked at for metrics; beyond them a note says that there may be more."""
MAX_NOTES = 20
TAIL_BYTES = 2_000
"""Of each stream of a failed attempt: its last lines, in UTF-8."""
_METRICS, _STATS = "pge_metrics.json", "_docker_stats.json"


@dataclass(frozen=True, slots=True)
class Findings:
    """What was read back."""

    error: str | None = None
    traceback: str | None = None
    msg: tuple[str, ...] = ()
    msg_details: str | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What could not be read, and why."""


def collect(workdir: WorkDir) -> Findings:
    """Read everything once, after the command's end."""
    notes = _Notes()
    _look_at_context(workdir.context, notes)
    msg = _text(workdir.alt_msg, notes)
    return Findings(
        error=_text(workdir.alt_error, notes),
        traceback=_text(workdir.alt_traceback, notes),
        msg=tuple(line for line in (msg or "").splitlines() if line.strip()),
        msg_details=_text(workdir.alt_msg_details, notes),
        metrics=_metrics(workdir.path, notes),
        notes=notes.all(),
    )


def tails(workdir: WorkDir) -> dict[str, str]:
    """The last lines of the output, by stream; no more than TAIL_BYTES of each, "" where there are none to be read."""
    return {"stdout": _last_lines(workdir.stdout), "stderr": _last_lines(workdir.stderr)}


class _Notes:
    """What could not be read: the first MAX_NOTES, and how many more. The job made the names, of any bytes."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._more = 0

    def add(self, text: str) -> None:
        if len(self._texts) < MAX_NOTES:
            self._texts.append(text.encode(errors="backslashreplace").decode())
        else:
            self._more += 1

    def all(self) -> tuple[str, ...]:
        return (*self._texts, *([f"and {self._more:,} more of this kind"] if self._more else []))


def _look_at_context(path: Path, notes: _Notes) -> None:
    """A job may edit its context; one that it broke is worth a word."""
    if not os.path.lexists(path):
        notes.add(f"{path.name} is gone: the job deleted it")
    elif not isinstance(_json(path, notes), dict | None):
        notes.add(f"{path.name} is no JSON object any more")


def _metrics(root: Path, notes: _Notes) -> dict[str, Any]:
    inputs: list[Any] = []
    products: list[Any] = []
    usage: list[Any] = []
    left_bytes = MAX_METRICS_BYTES
    for path in _named(root, notes):
        data = _bytes(path, MAX_JSON_BYTES, notes, clip=False)
        left_bytes -= len(data or b"")
        if left_bytes < 0:
            notes.add(f"metrics of more than {MAX_METRICS_BYTES:,} bytes in all: the rest is left out")
            break
        found = _parsed(path, data, notes)
        if path.name.endswith(_METRICS) and isinstance(found, dict):
            inputs += _list(found.get("download"))
            products += _list(found.get("upload"))
        elif path.name.endswith(_STATS) and found is not None:
            usage.append(found)
    gathered = {"inputs_localized": inputs, "products_staged": products, "usage_stats": usage}
    return {name: entries for name, entries in gathered.items() if entries}


def _named(root: Path, notes: _Notes) -> Iterator[Path]:
    """Metrics files of the job's own tree: links are not followed, so inputs elsewhere are not counted as its own."""
    seen = 0
    for folder, folders, names in os.walk(root, followlinks=False):
        folders.sort()
        seen += len(folders) + len(names)
        for name in sorted(names):
            if name.endswith((_METRICS, _STATS)):
                yield Path(folder, name)
        if seen > MAX_ENTRIES:
            notes.add(f"metrics were looked for among the first {MAX_ENTRIES:,} files only")
            return


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _last_lines(path: Path) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        status = os.fstat(fd)
        start = max(status.st_size - TAIL_BYTES, 0)
        data = os.pread(fd, TAIL_BYTES, start) if stat.S_ISREG(status.st_mode) else b""
    except OSError:
        return ""
    finally:
        os.close(fd)
    return _whole_lines(data, is_cut=start > 0)


def _whole_lines(data: bytes, is_cut: bool) -> str:
    """Without the half line that a cut begins with, unless it is the only one; what is no text shows as such."""
    _, newline, rest = data.partition(b"\n")
    text = (rest if is_cut and newline and rest.strip() else data).decode(errors="replace").strip("\n")
    # A byte that is no text became three.
    return text.encode()[-TAIL_BYTES:].decode(errors="ignore")


def _text(path: Path, notes: _Notes) -> str | None:
    data = _bytes(path, MAX_TEXT_BYTES, notes, clip=True)
    return None if data is None else data.decode(errors="replace").strip()


def _json(path: Path, notes: _Notes) -> Any:
    return _parsed(path, _bytes(path, MAX_JSON_BYTES, notes, clip=False), notes)


def _parsed(path: Path, data: bytes | None, notes: _Notes) -> Any:
    if data is None:
        return None
    try:
        return json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        notes.add(f"{path.name} is no JSON ({type(error).__name__}): left out")
        return None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _bytes(path: Path, limit: int, notes: _Notes, clip: bool) -> bytes | None:
    try:
        # Not through a link, and never waiting: the job may have put a FIFO here.
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        notes.add(f"{path.name} can't be read ({error.strerror}): left out")
        return None
    try:
        return _regular(fd, path.name, limit, notes, clip)
    except OSError as error:
        notes.add(f"{path.name} can't be read ({error.strerror}): left out")
        return None
    finally:
        os.close(fd)


def _regular(fd: int, name: str, limit: int, notes: _Notes, clip: bool) -> bytes | None:
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        notes.add(f"{name} is no file: left out")
        return None
    if status.st_size > limit and not clip:
        notes.add(f"{name} has {status.st_size:,} bytes, more than {limit:,}: left out")
        return None
    if status.st_size > limit:
        notes.add(f"{name} has {status.st_size:,} bytes: only the first {limit:,} were kept")
    return os.read(fd, limit)
