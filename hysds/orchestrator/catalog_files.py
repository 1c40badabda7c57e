"""The files of job types on this host, read together: the set is valid as a whole, or it is not used.

Somebody may be writing them. A file that changes, comes or goes while they are read makes the set unusable, and so does
half a file: it is no JSON.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from hysds.core.errors import Complaint, InvalidSpec, Refused
from hysds.core.job_types import type_merging
from hysds.core.job_types.catalog import Catalog

MAX_BYTES = 32 * 10**6
_Stamp = tuple[int, int, int, int]


def read(paths: Sequence[Path] | None) -> tuple[Catalog, tuple[Complaint, ...]]:
    """The catalogue that these files and directories say, and notes about what has no effect in them.

    Raises: InvalidSpec with every complaint about every file; Refused where no path is named.
    """
    if paths is None:
        raise Refused(
            "no files of job types are named: set catalog.paths (HYSDS_CATALOG_PATHS) to files like "
            "orchestrator_jobs.json and job_worker.json, or to directories of them"
        )
    complaints: list[Complaint] = []
    before = _stamps(paths, complaints)
    texts = {str(path): text for path in before if (text := _text(path, complaints)) is not None}
    after = _stamps(paths, [])
    complaints += (
        Complaint(str(path), "changed while it was read: reload once it is written")
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    )
    try:
        found, notes = type_merging.read(texts)
    except InvalidSpec as refusal:
        raise InvalidSpec((*complaints, *refusal.complaints)) from refusal
    if complaints:
        raise InvalidSpec(tuple(complaints))
    return found, notes


def _stamps(paths: Sequence[Path], complaints: list[Complaint]) -> dict[Path, _Stamp]:
    """All files, each once, with what tells whether one is written over."""
    found: dict[Path, _Stamp] = {}
    for path in paths:
        try:
            for file in _files(path):
                told = file.stat()
                stamp = (told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns)
                found.setdefault(Path(os.path.realpath(file)), stamp)
        except OSError as error:
            named = error.filename or path
            complaints.append(Complaint(str(named), f"can't be read: {error.strerror}"))
    return found


def _files(path: Path) -> list[Path]:
    """The file, or every *.json right below the directory; hidden ones are being written, or an editor's."""
    if not path.is_dir():
        return [path]
    return sorted(one for one in path.iterdir() if one.suffix == ".json" and not one.name.startswith("."))


def _text(path: Path, complaints: list[Complaint]) -> bytes | None:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        complaints.append(Complaint(str(path), f"can't be read: {error.strerror}"))
        return None
    if len(text) > MAX_BYTES:
        complaints.append(Complaint(str(path), f"is larger than {MAX_BYTES:,} bytes: these are no job types"))
        return None
    return text
