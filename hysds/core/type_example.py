"""An example of a spec that a job type takes, made of what the type says, for whoever submits the first one."""

from __future__ import annotations

import shlex
from typing import Any

from hysds.core.catalog import JobType
from hysds.core.command_line import parameters
from hysds.core.interfaces import Interface, Parameter, Source

_COMMAND = "echo hello"


def names(job_type: JobType) -> tuple[str, ...]:
    """The parameters that a submission gives, in the order of the command or the interface."""
    if job_type.interface is not None:
        return tuple(one.name for one in job_type.interface.params if one.source is not Source.VALUE)
    return parameters(job_type.command) if job_type.command is not None else ()


def spec(job_type: JobType) -> dict[str, Any] | None:
    """A spec of the type; None of one with an interface, which makes the spec: see `command`."""
    if job_type.interface is not None:
        return None
    payload = {name: f"<{name}>" for name in names(job_type)}
    if job_type.command is None and not job_type.creators:
        payload["_command"] = _COMMAND
    return {"job_type": job_type.name, "payload": payload}


def command(job_type: JobType) -> str:
    """The command line that submits a job of a type with an interface; "" of another."""
    if job_type.interface is None:
        return ""
    words = ["hysds", "submit", "--type", job_type.name]
    if any(one.source is Source.HIT for one in job_type.interface.params):
        words += ["--over", "--status failed"]
    for one in _asked(job_type.interface):
        words += ["--param", f"{one.name}={_value(one)}"]
    return shlex.join(words)


def _asked(interface: Interface) -> list[Parameter]:
    return [one for one in interface.params if one.source is Source.SUBMITTER and not one.optional]


def _value(param: Parameter) -> str:
    if param.default is not None:
        return str(param.default)
    return str(param.enumerables[0]) if param.enumerables else f"<{param.name}>"
