"""The job and interface files in a directory, as HySDS's container builder finds them: there, and in its `docker`.

All files are read and judged before anything is registered: one that is wrong beyond use stops all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hysds.core.errors import Complaint, InvalidSpec, NotFound
from hysds.core.job_types import interface_files
from hysds.core.job_types.additions import job_type
from hysds.core.job_types.catalog import JobType
from hysds.core.job_types.interface_files import MAX_BYTES, NAME, NAME_RULE, Pair
from hysds.core.job_types.json_fields import Findings
from hysds.core.job_types.objections import objections

_JOB, _IO = "job-spec.json.", "hysds-io.json."
_FOLDERS = ("", "docker")
_BACKUP = "~"


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that a file says. `is_refused`: nothing of the type can be submitted because of it."""

    file: str
    what: Complaint
    is_refused: bool


@dataclass(frozen=True, slots=True)
class Repository:
    """The types of a directory, and everything about its files that somebody should know."""

    types: tuple[JobType, ...]
    told: tuple[Told, ...] = ()


@dataclass(slots=True)
class _Files:
    """The files by the names of their types."""

    jobs: dict[str, Path] = field(default_factory=dict)
    ios: dict[str, Path] = field(default_factory=dict)
    complaints: list[Complaint] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)


def read(directory: Path, version: str, image: str = "") -> Repository:
    """The types of a directory under this version. `image`: the container image of them all; "": none.

    Raises: InvalidSpec with every complaint about every file, each naming it; NotFound where there is no job file.
    """
    files = _found(directory)
    if not NAME.fullmatch(version):
        files.complaints.append(Complaint("--version", f"must be {NAME_RULE}"))
    if not files.jobs and not files.complaints:
        raise NotFound(f"{directory}: no {_JOB}NAME there, and none in {directory / 'docker'}")
    types = [made for name in sorted(files.jobs) if (made := _type(name, files, version, image))]
    for name in sorted(files.ios.keys() - files.jobs.keys()):
        message = f"there is no {_JOB}{name} beside it: it describes no job, and is left out"
        files.told.append(Told(str(files.ios[name]), Complaint("$", message), False))
    if files.complaints:
        raise InvalidSpec(tuple(files.complaints))
    return Repository(tuple(types), tuple(files.told))


def _type(name: str, files: _Files, version: str, image: str) -> JobType | None:
    """The type of one pair; None: it can't be made, which is among the complaints."""
    job_path, io_path = files.jobs[name], files.ios.get(name)
    job = _text(job_path, files.complaints)
    io = None if io_path is None else _text(io_path, files.complaints)
    if job is None or (io_path is not None and io is None):
        return None
    reading = interface_files.read(Pair(name, job, io, version, image))
    _tell(str(job_path), reading.job, files)
    if io_path is None:
        message = f"there is no {_IO}{name} beside it: all its parameters are the submitter's"
        files.told.append(Told(str(job_path), Complaint("$", message), False))
    else:
        _tell(str(io_path), reading.io, files)
    if reading.interface is None:
        return None
    known = set(reading.interface.doubts)
    files.told += [
        _of_file(one, job_path, io_path) for one in objections(reading.interface) if one not in known
    ]
    sources = [str(path.absolute()) for path in (job_path, io_path) if path is not None]
    return job_type(reading.interface, sources)


def _of_file(objection: Complaint, job: Path, io: Path | None) -> Told:
    """An objection names the kind of its file before the place in it."""
    kind, _, place = objection.path.rpartition(" ")
    file = io if kind == "hysds-io" and io is not None else job
    return Told(str(file), Complaint(place, objection.message), True)


def _tell(file: str, found: Findings, files: _Files) -> None:
    files.complaints += [Complaint(f"{file}: {one.path}", one.message) for one in found.complaints]
    files.told += [Told(file, one, True) for one in found.doubts]
    files.told += [Told(file, one, False) for one in found.notes]


def _found(directory: Path) -> _Files:
    files = _Files()
    for folder in _FOLDERS:
        for path in _entries(directory / folder, is_needed=not folder, complaints=files.complaints):
            for prefix, known in ((_JOB, files.jobs), (_IO, files.ios)):
                if path.name.startswith(prefix):
                    _take(path, path.name.removeprefix(prefix), known, files)
    return files


def _take(path: Path, name: str, known: dict[str, Path], files: _Files) -> None:
    if name.endswith(_BACKUP):
        files.told.append(Told(str(path), Complaint("$", "is an editor's copy, and left out"), False))
    elif not NAME.fullmatch(name):
        files.complaints.append(Complaint(str(path), f"the NAME of its type must be {NAME_RULE}"))
    elif name in known:
        files.complaints.append(Complaint(str(path), f"{known[name]} is of the same name; keep one of them"))
    else:
        known[name] = path


def _entries(directory: Path, is_needed: bool, complaints: list[Complaint]) -> Iterator[Path]:
    try:
        yield from sorted(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError) as error:
        if is_needed:
            complaints.append(Complaint(str(directory), f"can't be read: {error.strerror}"))
    except OSError as error:
        complaints.append(Complaint(str(directory), f"can't be read: {error.strerror}"))


def _text(path: Path, complaints: list[Complaint]) -> bytes | None:
    """What a file holds, but not more than shows that it is too large."""
    if path.exists() and not path.is_file():
        complaints.append(Complaint(str(path), "is no file"))
        return None
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        complaints.append(Complaint(str(path), f"can't be read: {error.strerror}"))
        return None
