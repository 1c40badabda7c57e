"""Which environment variables set something, and how a process hands its settings on to one that it starts.

A variable that begins with `HYSDS_` and is none of ours is a mistake worth stopping for: a setting that somebody
believes to be in force.
"""

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from hysds.settings import fields, model
from hysds.settings.sources import Given, Reading

_NEAR = 0.8
"""Names share the prefix and their sections: what is less alike than this is another name."""

PREFIX = "HYSDS_"
HOME = "HYSDS_HOME"
LOG = "HYSDS_LOG"
CONFIG = "HYSDS_CONFIG"
"""The settings file. Set but empty: none, not even one that lies in the usual places."""

TASK_ID = "HYSDS_TASK_ID"
"""By it a function that is called as a task, and what it starts, finds the id of the task."""

IN_JOBS = (
    "HYSDS_ARRAY_INDEX",
    "HYSDS_JOB_",
    "HYSDS_PROGRESS",
    "HYSDS_SCHEDULE",
    "HYSDS_SCHEDULE_TIME",
    "HYSDS_SUBMIT_DIR",
    TASK_ID,
)
"""What HySDS itself sets inside jobs; one that ends in `_` stands for all that begin so. A client that a job
starts must not stumble over them."""

READY_FD = "HYSDS_READY_FD"
"""Where a process that HySDS starts is told the descriptor to say on that it is ready."""

FOR_TESTS = ("HYSDS_TEST_",)
"""What the tests of HySDS tell each other."""

_BARE = frozenset({"HOME", "LANG", "PATH", "PYTHONPATH", "TMPDIR", "TZ", "VIRTUAL_ENV"})

OF_THE_ORIGINAL = {
    "HYSDS_ROOT_WORK_DIR": "HYSDS_WORKER_WORK_DIR says where work directories lie",
    "HYSDS_CELERY_CFG": f"{CONFIG} names the settings file",
    "HYSDS_WORKER_CFG": "HYSDS_CATALOG_PATHS names such files, of orchestrators and of workers",
    "HYSDS_ORCHESTRATOR_CFG": "HYSDS_CATALOG_PATHS names such files, of orchestrators and of workers",
    "HYSDS_JOB_CREATORS_DIR": "HYSDS_CREATORS_DIR says where the modules of creators lie",
    "HYSDS_DATASETS_CFG": "it comes with datasets",
    "HYSDS_GPU_AVAILABLE": "it comes with GPUs",
}
"""Variables of the original HySDS that stand in many environments: a notice, and what takes their place."""


def read(environ: Mapping[str, str], base: Path, reading: Reading) -> None:
    """Take all `HYSDS_` variables; complain about those that nobody knows."""
    settings = {row.variable: name for name, row in fields.table().items()}
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        origin = f"environment {variable}"
        if variable in settings:
            reading.given[settings[variable]] = Given(environ[variable], origin, base)
        elif variable in OF_THE_ORIGINAL:
            reading.notice(origin, f"not read: {OF_THE_ORIGINAL[variable]}")
        elif variable != CONFIG and not _is_foreign(variable):
            reading.complain(origin, f"no such setting{nearest(variable, [*settings, CONFIG])}")


def handed_on(settings: model.Settings, origins: Mapping[str, str], file: Path | None) -> dict[str, str]:
    """Variables with which another process of this machine loads the same settings, whatever its directory.

    Holds passwords of URLs if an argument or a variable gave them: for a child's environment, never for its
    arguments.
    """
    variables = {HOME: str(settings.home), CONFIG: "" if file is None else str(file)}
    for name, row in fields.table().items():
        if origins[name].startswith(("argument ", "environment ")):
            variables[row.variable] = row.write(row.value_in(settings))
    return variables


def for_child(variables: Mapping[str, str], environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole environment of a child: this process's (`environ`, None: its own) with `handed_on` for its settings."""
    environ = os.environ if environ is None else environ
    settings = {READY_FD, HOME, CONFIG, *(row.variable for row in fields.table().values())}
    return {name: value for name, value in environ.items() if name not in settings} | dict(variables)


def bare(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a child may know that runs an operator's code: where programs and modules lie, language, time zone; no
    setting, and nothing that could be a secret. `environ`: None is this process's own.
    """
    environ = os.environ if environ is None else environ
    return {name: value for name, value in environ.items() if name in _BARE or name.startswith("LC_")}


def logging_by(words: Iterable[str]) -> dict[str, str]:
    """This process's own environment, for one that takes its place and logs by these words; none: as it says."""
    said = ",".join(words)
    return {**os.environ, LOG: said} if said else dict(os.environ)


def ready_fd(environ: Mapping[str, str] | None = None) -> int | None:
    """The descriptor on which to tell `lib.readiness` that this process is ready; None: nobody asked.

    `environ`: None is this process's own.
    """
    text = (os.environ if environ is None else environ).get(READY_FD, "")
    return int(text) if text.isdecimal() else None


def task_id(environ: Mapping[str, str] | None = None) -> str:
    """The id of the task that this process carries out; "" for none."""
    return (os.environ if environ is None else environ).get(TASK_ID, "")


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?`, or nothing."""
    close = get_close_matches(name, list(known), n=1, cutoff=_NEAR)
    return f"; did you mean {close[0]}?" if close else ""


def _is_foreign(variable: str) -> bool:
    """Whether others set this variable; not when somebody forgot the s of `HYSDS_JOBS_`."""
    if variable.replace("HYSDS_JOB_", "HYSDS_JOBS_") in {row.variable for row in fields.table().values()}:
        return False
    return any(
        variable.startswith(name) if name.endswith("_") else variable == name
        for name in (*IN_JOBS, READY_FD, *FOR_TESTS)
    )
