"""What `HYSDS_LOG` says: a level, levels of rooms, and the form of lines, with commas between.

`info,job_worker=debug,adapters.ledger=warning,format=json`: a room is a package or module of HySDS, or a library that
logs.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from pathlib import Path

from hysds.lib.structured_log import CONSOLE, JSON, LEVELS, Plan

_FORM = "format"
_LIBRARIES = ("amqp", "celery", "elastic_transport", "kombu", "redis")
_QUIET = {"elastic_transport": LEVELS["error"]}
"""It would log a line a request, and warn of each that an outage fails; what is wrong we say once ourselves."""
_PACKAGE = Path(__file__).parents[1]


def plan(words: Sequence[str] | None) -> Plan:
    """What good words ask for; a later word wins over an earlier one."""
    level: int | None = None
    form = CONSOLE
    rooms = dict(_QUIET)
    for name, mark, value in (word.partition("=") for word in words or ()):
        if not mark:
            level = LEVELS[name]
        elif name == _FORM:
            form = value
        else:
            rooms |= dict.fromkeys(_loggers(name), LEVELS[value])
    return Plan(level, form, rooms)


def complaint(word: str) -> str | None:
    """What is wrong with one word; None if nothing is."""
    name, mark, value = word.partition("=")
    if not mark:
        return (
            None
            if name in LEVELS
            else f"{name!r:.60} is no level: {_listed(LEVELS)}, or ROOM=LEVEL, or format=json"
        )
    if name == _FORM:
        return None if value in (CONSOLE, JSON) else f"format is {CONSOLE} or {JSON}, not {value!r:.60}"
    if value not in LEVELS:
        return f"{value!r:.60} is no level: {_listed(LEVELS)}"
    if name in _LIBRARIES or _is_room(name):
        return None
    near = get_close_matches(name, _rooms(), n=1)
    return f"there is no room {name!r:.60}{f' (did you mean {near[0]}?)' if near else ''}"


def _loggers(name: str) -> list[str]:
    """The door `celery` is ours and the library's."""
    ours = [f"hysds.{name}"] if _is_room(name) else []
    return [*ours, name] if name in _LIBRARIES else ours


def _is_room(name: str) -> bool:
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        return False
    place = _PACKAGE.joinpath(*parts)
    return (place / "__init__.py").is_file() or place.with_suffix(".py").is_file()


def _rooms() -> list[str]:
    """The rooms that people name: packages and modules of the first floor, and packages of the second."""
    first = [path for path in _PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()]
    second = [inner.parent for path in first for inner in path.glob("*/__init__.py")]
    names = [".".join(path.relative_to(_PACKAGE).with_suffix("").parts) for path in (*first, *second)]
    return sorted(name for name in names if not name.startswith("_"))


def _listed(words: Collection[str]) -> str:
    return ", ".join(words)
