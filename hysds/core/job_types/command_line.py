"""The command line of a job whose type brings the command: parameters of the payload in the places of `$name`.

Only an argument that is `$name` as a whole is replaced, as in HySDS: a list becomes as many arguments, and a text stays
one argument whatever it holds. No shell reads any of it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from hysds.core import json_text
from hysds.core.errors import Complaint, InvalidSpec
from hysds.core.job_types.catalog import Command

_PARAMETER = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")


def parameters(command: Command) -> tuple[str, ...]:
    """The names of the parameters that the command takes, in its order, each once."""
    found = (_PARAMETER.fullmatch(argument) for argument in command.arguments)
    return tuple(dict.fromkeys(match[1] for match in found if match))


def template(command: Command) -> str:
    """The command before any parameter is put in, to tell it from another."""
    return shlex.join([command.path, *command.options, *command.arguments])


def command_line(command: Command, payload: Mapping[str, Any], kept: Collection[str] = ()) -> str:
    """The command with the payload's values, quoted so that `spec.split` finds its arguments again. `kept`: names that
    stay as they are where the payload has no value for them, as somebody else fills them in.

    Raises: InvalidSpec for each parameter that is missing, or that no argument can hold.
    """
    complaints: list[Complaint] = []
    words = [command.path, *command.options]
    for argument in command.arguments:
        match = _PARAMETER.fullmatch(argument)
        if match is None or (match[1] in kept and match[1] not in payload):
            words.append(argument)
        else:
            words += _values(match[1], payload, complaints)
    if complaints:
        raise InvalidSpec(tuple(dict.fromkeys(complaints)))
    return shlex.join(words)


def _values(name: str, payload: Mapping[str, Any], complaints: list[Complaint]) -> list[str]:
    path = json_text.below("$.payload", name)
    if name not in payload:
        complaints.append(Complaint(path, f"is required: the type's command takes it as ${name}"))
        return []
    given = payload[name]
    values = given if isinstance(given, list) else [given]
    complaints += _complaints(values, path, is_list=isinstance(given, list))
    return [_text(value) for value in values]


def _complaints(values: list[Any], path: str, is_list: bool) -> Iterator[Complaint]:
    for position, value in enumerate(values):
        place = f"{path}[{position}]" if is_list else path
        if not isinstance(value, str | int | float):
            yield Complaint(
                place,
                "must be a text, a number, a boolean or a list of these, as it is an argument of the command, "
                f"not {json_text.kind(value)}",
            )
        elif isinstance(value, str) and "\0" in value:
            yield Complaint(place, "holds a NUL character, which no argument can")


def _text(value: object) -> str:
    """A value as an argument: numbers and booleans as JSON writes them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
