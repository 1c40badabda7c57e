"""What a person waits for: imports, help, and `hysds run` with a system that comes and goes with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks import raw_celery, sampling
from benchmarks.jobs import spec_file
from benchmarks.processes import directory, environment
from benchmarks.row import Samples
from benchmarks.server import server

_STARTS = 15
_RUNS = 3
_BARE = [sys.executable, "-c", "pass"]


def import_() -> Samples:
    """Seconds of a Python that imports hysds; the floor: one that does nothing."""
    return _starts([sys.executable, "-c", "import hysds"])


def help_() -> Samples:
    """Seconds of `hysds --help`; the floor: a Python that does nothing."""
    return _starts([*_hysds(), "--help"])


def run() -> Samples:
    """Seconds of `hysds run` of `/bin/true` in a fresh home; the peer: Valkey and a raw Celery worker, up and down."""
    return sampling.alternate(_hysds_run, partial(sampling.duration, _celery_run), _RUNS)


def _starts(command: Sequence[str]) -> Samples:
    with directory() as home:
        ours = partial(sampling.duration, partial(_carry_out, command, home))
        peer = partial(sampling.duration, partial(_carry_out, _BARE, home))
        return sampling.alternate(ours, peer, _STARTS, warm_ups=2)


def _hysds_run() -> float:
    with directory() as home:
        command = [*_hysds(), "run", str(spec_file(home))]
        return sampling.duration(partial(_carry_out, command, home))


def _celery_run() -> None:
    with directory() as home, server(home) as started, raw_celery.worker(started):
        return  # the worker has run its task by now


def _hysds() -> list[str]:
    """The command as it is installed, else as a module."""
    installed = Path(sys.executable).with_name("hysds")
    return [str(installed)] if installed.exists() else [sys.executable, "-m", "hysds"]


def _carry_out(command: Sequence[str], home: Path) -> None:
    """Raises: CalledProcessError with what the command printed."""
    variables = environment(HYSDS_HOME=str(home / "home"))
    done = subprocess.run(command, cwd=home, env=variables, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
