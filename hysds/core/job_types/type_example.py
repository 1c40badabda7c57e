"""An example of a spec that a job type takes, made of what the type says, for whoever submits the first one."""

from __future__ import annotations

import shlex
from typing import Any

from hysds.core.job_types.catalog import JobType
from hysds.core.job_types.command_line import parameters
from hysds.core.job_types.filling import PASSED_ON
from hysds.core.job_types.interfaces import Component, Interface, Parameter, Source

_COMMAND = "echo hello"
_OPTIONS = {"--over": "--status failed", "--priority": "5"}


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
    interface = job_type.interface
    words = ["hysds", "submit", "--type", job_type.name, *_account(interface)]
    if _takes_hits(interface):
        words += ["--over", "--status failed"]
    for one in interface.params:
        words += _given(interface, one)
    return shlex.join(words)


def _account(interface: Interface) -> list[str]:
    """Where somebody has to be named."""
    if not interface.takes_account(None):
        return ["--user", interface.allowed_accounts[0]]
    asked = any(one.source is Source.PASSTHROUGH and one.name == "username" for one in interface.params)
    return ["--user", "<user>"] if asked else []


def _takes_hits(interface: Interface) -> bool:
    """Whether its hits can be searched: those of data sets can't be."""
    return interface.component is not Component.DATASETS and any(
        one.source is Source.HIT for one in interface.params
    )


def _given(interface: Interface, param: Parameter) -> list[str]:
    """What a submission has to give for the parameter."""
    if param.optional or param.source is Source.VALUE:
        return []
    if param.source is Source.HIT and _takes_hits(interface):
        return []
    if param.source is Source.SUBMITTER:
        return ["--param", f"{param.name}={_value(param)}"]
    option = PASSED_ON.get(param.name) if param.source is Source.PASSTHROUGH else None
    if param.default is not None or option in ("", "--user") or (option == "--queue" and interface.job.queue):
        return []
    if option is None:
        return ["--param", f"{param.name}={_value(param)}"]
    return [option, _OPTIONS.get(option, f"<{param.name}>")]


def _value(param: Parameter) -> str:
    if param.default is not None:
        return str(param.default)
    return str(param.enumerables[0]) if param.enumerables else f"<{param.name}>"
