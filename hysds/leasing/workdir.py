"""The work directory of an attempt: where it lies, and the name of every file in it.

`jobs/YYYY/MM/DD/HH/MM/<job_id>` (the time, in UTC, of the job's acceptance) is a link to the latest attempt's own
directory, `<job_id>.f<fence>` beside it, so that files of an attempt that should be dead never mix with its
successor's.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

JOBS = "jobs"
"""The folder below the root in which all directories of attempts lie."""


@dataclass(frozen=True, slots=True)
class WorkDir:
    """The paths of one attempt."""

    path: Path
    link: Path

    @property
    def context(self) -> Path:
        return self.path / "_context.json"

    @property
    def job(self) -> Path:
        return self.path / "_job.json"

    @property
    def run_script(self) -> Path:
        return self.path / "_run.sh"

    @property
    def stdout(self) -> Path:
        return self.path / "_stdout.txt"

    @property
    def stderr(self) -> Path:
        return self.path / "_stderr.txt"

    @property
    def exit_code(self) -> Path:
        return self.path / "_exit_code"

    @property
    def pid(self) -> Path:
        return self.path / "_pid"

    @property
    def progress(self) -> Path:
        return self.path / "_progress"

    @property
    def running(self) -> Path:
        return self.path / ".running"

    @property
    def done(self) -> Path:
        return self.path / ".done"

    @property
    def alt_error(self) -> Path:
        return self.path / "_alt_error.txt"

    @property
    def alt_traceback(self) -> Path:
        return self.path / "_alt_traceback.txt"

    @property
    def alt_msg(self) -> Path:
        return self.path / "_alt_msg.txt"

    @property
    def alt_msg_details(self) -> Path:
        return self.path / "_alt_msg_details.txt"


def locate(root: Path, id: str, fence: int, accepted_ms: int) -> WorkDir:
    """Where an attempt works; nothing is made."""
    accepted = datetime.fromtimestamp(accepted_ms / 1000, UTC)
    parent = root / JOBS / accepted.strftime("%Y/%m/%d/%H/%M")
    return WorkDir(parent / f"{id}.f{fence}", parent / id)


def create(workdir: WorkDir) -> None:
    """Make the attempt's directory and swing the job's link to it.

    Raises: OSError when the place can't be written; FileExistsError when the attempt has been here before.
    """
    try:
        workdir.path.mkdir()
    except FileNotFoundError:
        workdir.path.parent.mkdir(parents=True, exist_ok=True)
        workdir.path.mkdir()
    try:
        workdir.link.symlink_to(workdir.path.name)
    except FileExistsError:
        _swing(workdir)


def remove(workdir: WorkDir) -> None:
    """Take an attempt's directory away, and the job's link if it points there: of an attempt that is nobody's.

    What can't be removed stays. The caller knows that nothing of the attempt lives.
    """
    with suppress(OSError), _linking(workdir):
        if os.readlink(workdir.link) == workdir.path.name:
            os.unlink(workdir.link)
    shutil.rmtree(workdir.path, ignore_errors=True)
    if workdir.path.exists():
        open_up(workdir.path)
        shutil.rmtree(workdir.path, ignore_errors=True)


def _swing(workdir: WorkDir) -> None:
    """From an earlier attempt to this one, in one step."""
    aside = workdir.link.with_name(f".{workdir.path.name}.link")
    with _linking(workdir):
        aside.unlink(missing_ok=True)
        aside.symlink_to(workdir.path.name)
        os.replace(aside, workdir.link)


@contextmanager
def _linking(workdir: WorkDir) -> Iterator[None]:
    """Who reads a job's link and then changes it takes turns: a lost attempt must not take its successor's away."""
    fd = os.open(workdir.link.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def open_up(path: Path) -> None:
    """Folders that a job closed to their owner too can be emptied again."""
    with suppress(OSError):
        os.chmod(path, 0o700)
    for folder, folders, _ in os.walk(path):
        for inner in (Path(folder, name) for name in folders):
            with suppress(OSError):
                if not inner.is_symlink():
                    inner.chmod(0o700)
