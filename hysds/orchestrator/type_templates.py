"""The files of job types that come with HySDS, to begin with."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from hysds.core.errors import Refused

NAMES = ("orchestrator_jobs.json", "job_worker.json")


def texts() -> Mapping[str, str]:
    """The files by name."""
    folder = resources.files("hysds.orchestrator.templates")
    return {name: folder.joinpath(name).read_text("utf-8") for name in NAMES}


def put(directory: Path) -> tuple[Path, ...]:
    """Write them into a directory, which is made where there is none. None is written where one of them is there.

    Raises: Refused
    """
    paths = tuple(directory / name for name in NAMES)
    for path in paths:
        if path.exists() or path.is_symlink():
            raise Refused(
                f"{path} is there: it stays as it is, and nothing was written; name another directory"
            )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path, text in zip(paths, texts().values(), strict=True):
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise Refused(f"{error.filename or directory} can't be written: {error.strerror}") from error
    return paths
