"""What HySDS writes into a work directory: before the run, at its start, and after it.

Once the command runs, every file is written beside its place and moved there, so that nobody ever reads half of one,
and what the job itself did to a file of ours (a link, a directory in its place) is replaced and not followed.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hysds.leasing import marks
from hysds.leasing.workdir import WorkDir
from hysds.ports.engines import Workload


def write_before(
    workdir: WorkDir, context: Mapping[str, Any], job: Mapping[str, Any], workload: Workload
) -> None:
    """The files that the command finds, and by which a person runs it again by hand. The directory is new.

    Raises: OSError when the disk is full or the directory can't be written.
    """
    _make(workdir.running, _now())
    _make(workdir.context, _json(context))
    _make(workdir.job, _json(job))
    _make(workdir.run_script, script(workload).encode(), mode=0o755)
    for output in (workload.stdout, workload.stderr):
        _make(output, b"")


def script(workload: Workload) -> str:
    """A shell script that does what the worker does: this directory, this environment and no other, this command."""
    # Not what would have it taken for one of the worker's own processes.
    given = {name: value for name, value in workload.env.items() if name != marks.WORKER}
    variables = " ".join(shlex.quote(f"{name}={value}") for name, value in sorted(given.items()))
    return (
        "#!/bin/sh\n"
        f"# Runs attempt {workload.id} again by hand.\n"
        f"cd {shlex.quote(str(workload.cwd))} || exit\n"
        f"exec /usr/bin/env -i {variables} {shlex.join(workload.argv)}\n"
    )


def write_after(workdir: WorkDir, exit_code: int | None) -> None:
    """The marks of an attempt's end; the exit code is -N for a command that signal N ended."""
    if exit_code is not None:
        put(workdir.exit_code, f"{exit_code}\n".encode())
    put(workdir.done, _now())
    _remove(workdir.running)


def put(path: Path, data: bytes, mode: int = 0o644) -> None:
    """A whole file or none. Whatever stood at `path` is replaced."""
    aside = path.with_name(f"{path.name}.part")
    _remove(aside)
    _make(aside, data, mode)
    try:
        if path.is_dir() and not path.is_symlink():
            _remove(path)
        os.replace(aside, path)
    except BaseException:
        _remove(aside)
        raise


def _make(path: Path, data: bytes, mode: int = 0o644) -> None:
    """A new file with all of this in it, or none. Raises: OSError that names the file."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        with open(fd, "wb", buffering=0) as file:
            left = memoryview(data)
            while left:
                left = left[file.write(left) :]
    except OSError as error:
        _remove(path)
        error.filename = str(path)  # a write that fails knows its descriptor alone
        raise


def _now() -> bytes:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{now}\n".encode()


def _json(value: Any) -> bytes:
    """JSON for people too."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
