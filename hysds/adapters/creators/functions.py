"""Which functions may be called as creators, under which names, and how a name becomes a function.

A name is an import, never an expression: nothing is evaluated. The name must lie below an allowed prefix, and so must
the module that defines the function: what an allowed module only imported (`subprocess.run`) is no creator.
"""

from __future__ import annotations

import importlib
import inspect
import re
import types
from collections.abc import Callable, Mapping
from typing import Any

_NAME = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]*\.)+[A-Za-z_][A-Za-z0-9_]*")
OF_THE_ORIGINAL: Mapping[str, str] = types.MappingProxyType(
    {
        "utils.get_job_json": "hysds.creators.passing.get_job_json",
        "utils.custom_script": "hysds.creators.scripts.custom_script",
        "utils.notify_by_email": "hysds.creators.notices.notify_by_email",
        "utils_job.notify_job_by_email": "hysds.creators.notices.notify_job_by_email",
        "utils_job.retry_job": "hysds.creators.retries.retry_job",
    }
)
"""HySDS's names of the creators that come with it; they hold where the operator allows no module of that name."""


class NoCreator(Exception):
    """This name is none that may be called, or there is nothing to call under it; the message says which."""


def chosen(name: str, prefixes: tuple[str, ...]) -> str:
    """The whole dotted name that is called for `name`.

    Raises: NoCreator where none may be.
    """
    if not _NAME.fullmatch(name) or len(name) > 255:
        raise NoCreator("is no dotted name of a function, such as mysite.tiles.make_jobs")
    if is_below(name, prefixes):
        return name
    ours = OF_THE_ORIGINAL.get(name)
    if ours is not None and is_below(ours, prefixes):
        return ours
    raise NoCreator(
        f"is not allowed: the setting creators.prefixes allows what lies below {', '.join(prefixes)}"
    )


def objection(name: str, prefixes: tuple[str, ...]) -> str:
    """Why nothing may be called for `name`; "" where something may."""
    try:
        chosen(name, prefixes)
    except NoCreator as refusal:
        return str(refusal)
    return ""


def resolved(name: str, prefixes: tuple[str, ...]) -> Callable[..., Any]:
    """The function of a chosen name.

    Raises: NoCreator where there is none; what importing its module raises passes.
    """
    module_name, _, attribute = name.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise NoCreator(
            f"can't be imported: there is no module {error.name}; is its directory the setting creators.dir?"
        ) from error
    function = getattr(module, attribute, None)
    if not callable(function):
        raise NoCreator(f"does not exist: module {module_name} has no function {attribute}")
    home = getattr(function, "__module__", None) or ""
    if not is_below(f"{home}.{attribute}", prefixes):
        raise NoCreator(f"is not defined in {module_name} but in {home or 'nowhere'}, which is not allowed")
    return function  # type: ignore[no-any-return]


def called(function: Callable[..., Any], info: Mapping[str, Any], job_type: str) -> object:
    """What the function answers: `f(info)`, or `f(info, job_type)` where it has an argument of that name."""
    parameters = inspect.signature(function).parameters
    if "job_type" in parameters and len(parameters) > 1:
        return function(info, job_type=job_type)
    return function(info)


def is_below(name: str, prefixes: tuple[str, ...]) -> bool:
    """Whether the name stands for something in one of these modules or packages."""
    return any(name.startswith(f"{prefix}.") for prefix in prefixes)
