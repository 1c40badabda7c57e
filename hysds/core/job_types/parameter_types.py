"""What a submitter may give for a parameter, by the type that its hysds-io file names."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from typing import Any

from hysds.core import json_text
from hysds.core.job_types.interfaces import Parameter

_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]+")
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*", re.ASCII)
_INTEGER = re.compile(r"\s*[+-]?\d+\s*", re.ASCII)
_LONGEST_NUMBER = 100
"""Characters of a number that is given as text."""
_SHOWN = 12
"""So many choices stand in a message."""


def is_known(type_: str) -> bool:
    """Whether values of this type are checked; those of another are taken as they are."""
    return not type_ or type_ in _CHECKS


def checked(param: Parameter, value: Any, job_types: Collection[str]) -> Any:
    """The value as the job gets it: a number or a boolean that was given as text is one.

    `job_types`: the names of all types, `job-NAME:VERSION`.
    Raises: ValueError, saying what it must be.
    """
    check = _CHECKS.get(param.type)
    return value if check is None else check(param, value, job_types)


def _text(param: Parameter, value: Any, job_types: Collection[str]) -> Any:
    if not isinstance(value, str):
        raise ValueError(f"must be a text, not {json_text.kind(value)}")
    return value


def _number(param: Parameter, value: Any, job_types: Collection[str]) -> Any:
    number = _of_text(value) if isinstance(value, str) else value
    if type(number) is not int and not (type(number) is float and math.isfinite(number)):
        raise ValueError(f"must be a number, not {json_text.shown(value)}")
    return number


def _of_text(text: str) -> int | float | None:
    """The number that a text is; None: it is none."""
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return None
    return int(text) if _INTEGER.fullmatch(text) else float(text)


def _boolean(param: Parameter, value: Any, job_types: Collection[str]) -> Any:
    word = value.strip().lower() if isinstance(value, str) else value
    if isinstance(word, bool):
        return word
    if word in ("true", "false"):
        return word == "true"
    raise ValueError(f"must be true or false, not {json_text.shown(value)}")


def _enum(param: Parameter, value: Any, job_types: Collection[str]) -> Any:
    for choice in param.enumerables:
        if value == choice and type(value) is type(choice):
            return choice
    for choice in param.enumerables:
        if isinstance(value, str) and value == _as_text(choice):
            return choice
    raise ValueError(f"must be one of {_choices(param.enumerables)}, not {json_text.shown(value)}")


def _email(param: Parameter, value: Any, job_types: Collection[str]) -> Any:
    addresses = [part.strip() for part in value.split(",")] if isinstance(value, str) else [""]
    if not all(_EMAIL.fullmatch(address) for address in addresses):
        raise ValueError(
            f"must be an e-mail address, or several with commas between, not {json_text.shown(value)}"
        )
    return value


def _date(param: Parameter, value: Any, job_types: Collection[str]) -> Any:
    if not _is_read(date.fromisoformat, value):
        raise ValueError(f"must be a date such as 2030-01-31, not {json_text.shown(value)}")
    return value


def _datetime(param: Parameter, value: Any, job_types: Collection[str]) -> Any:
    if not _is_read(datetime.fromisoformat, value):
        raise ValueError(f"must be a time such as 2030-01-31T18:00:00Z, not {json_text.shown(value)}")
    return value


def _is_read(read: Callable[[str], object], value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(read(value))
    except ValueError:
        return False


def _region(param: Parameter, value: Any, job_types: Collection[str]) -> Any:
    """A GeoJSON geometry, as an object or as its text."""
    try:
        geometry = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        geometry = None
    if not isinstance(geometry, dict) or not isinstance(geometry.get("coordinates"), list):
        raise ValueError(
            'must be a GeoJSON geometry such as {"type": "Polygon", "coordinates": […]}, '
            f"not {json_text.shown(value)}"
        )
    return value


def _jobspec_version(param: Parameter, value: Any, job_types: Collection[str]) -> Any:
    """The version of a registered type whose name `version_regex` finds, or the type's whole name."""
    wanted = re.compile(param.version_regex)
    fitting = sorted(name for name in job_types if wanted.search(name))
    if isinstance(value, str) and (value in fitting or value in {name.partition(":")[2] for name in fitting}):
        return value
    there_are = _choices(fitting) if fitting else "none"
    raise ValueError(
        f"must be the version of a type that {param.version_regex!r} finds ({there_are}), "
        f"not {json_text.shown(value)}"
    )


def _as_text(choice: Any) -> str:
    return choice if isinstance(choice, str) else json.dumps(choice)


def _choices(choices: Collection[Any]) -> str:
    shown = [_as_text(choice) for choice in list(choices)[:_SHOWN]]
    more = [f"and {len(choices) - _SHOWN} more"] if len(choices) > _SHOWN else []
    return ", ".join([*shown, *more])


_CHECKS: Mapping[str, Callable[[Parameter, Any, Collection[str]], Any]] = {
    "text": _text,
    "textarea": _text,
    "number": _number,
    "boolean": _boolean,
    "enum": _enum,
    "email": _email,
    "date": _date,
    "datetime": _datetime,
    "region": _region,
    "jobspec_version": _jobspec_version,
}
