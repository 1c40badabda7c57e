"""The one variable that the command line gives to a job: where it was started.

A job runs in a work directory of its own, on whatever machine. One that is meant for machines which share files may
name what lies beside its submitter: a spec whose command or whose `env` holds the text HYSDS_SUBMIT_DIR gets that
variable, with the directory in which `hysds run` or `hysds submit` was started. It is part of the job's environment
like any other, so the same spec from another directory is other work, and no duplicate.
"""

from __future__ import annotations

from dataclasses import replace

from hysds.core.spec import JobSpec

VARIABLE = "HYSDS_SUBMIT_DIR"


def given(spec: JobSpec, directory: str) -> JobSpec:
    """The spec, with the variable if it asks for it."""
    return replace(spec, env={**spec.env, VARIABLE: directory}) if asks(spec) else spec


def asks(spec: JobSpec) -> bool:
    """Whether the command, or the value of a variable, names it."""
    return any(VARIABLE in text for text in (spec.payload.get("_command", ""), *spec.env.values()))
