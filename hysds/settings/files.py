"""Which settings file is read, and what TOML and Python files say.

A file that `HYSDS_CONFIG` names was chosen by the operator. `./celeryconfig.py` was only found, and reading it means
executing it: it counts only if it and its link are the caller's own and nobody else can write to it.
"""

import os
import stat
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path

from hysds.settings import celeryconfig, environment, fields
from hysds.settings.sources import Given, Reading

_FOUND_HERE = "celeryconfig.py"
_FOUND_AT_HOME = "hysds.toml"
_LARGEST_BYTES = 2**20


def chosen(environ: Mapping[str, str], directory: Path, home: Path, reading: Reading) -> Path | None:
    """The file to read, or None. Complains about a named one that can't be, notes a found one that is not safe."""
    if environment.CONFIG in environ:
        named = environ[environment.CONFIG]
        return directory / Path(named).expanduser() if named else None
    here = directory / _FOUND_HERE
    if os.path.lexists(here):
        if (reason := _foreign(here)) is None:
            return here
        reading.notice(str(here), f"not read: {reason}; name it in {environment.CONFIG} if you trust it")
    return _found(home / _FOUND_AT_HOME, reading)


def read(path: Path, reading: Reading) -> None:
    """Take what a file says; complaints name the file and the name in it."""
    if not os.path.lexists(path):
        reading.complain(str(path), "no such file, or it may not be seen")
        return
    if path.suffix not in (".py", ".toml"):
        reading.complain(str(path), "a settings file is a .py or a .toml")
        return
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            reading.complain(str(path), "larger than 1 MiB: this is no settings file")
            return
        content = path.read_bytes()
    except OSError as error:
        reading.complain(str(path), f"can't be read: {error.strerror}")
        return
    if path.suffix == ".py":
        celeryconfig.read(path, content, reading)
    else:
        _read_toml(path, content, reading)


def _found(path: Path, reading: Reading) -> Path | None:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        message = f"it can't be seen whether this file is there: {error.strerror}"
        reading.complain(str(path), f"{message}; set {environment.HOME} to a directory of your own")
        return None
    return path


def _foreign(path: Path) -> str | None:
    """Why a file that was only found is not to be executed; None if it may be."""
    try:
        link, file = path.lstat(), path.stat()
    except OSError as error:
        return f"it can't be read ({error.strerror})"
    if {link.st_uid, file.st_uid} != {os.geteuid()}:
        return "it belongs to another user"
    # Where each user has a group of its own, with the same number, files are commonly writable by that group.
    shared_group = file.st_gid != file.st_uid and file.st_mode & stat.S_IWGRP
    return "others can write to it" if shared_group or file.st_mode & stat.S_IWOTH else None


def _read_toml(path: Path, content: bytes, reading: Reading) -> None:
    try:
        document = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reading.complain(str(path), f"not TOML: {error}")
        return
    known = fields.table()
    for name, value in _flat(document, {row.name for row in known.values() if row.is_table}):
        origin = f"{path}: {name}"
        if name == "home" and path.name == _FOUND_AT_HOME:
            reading.complain(origin, f"set {environment.HOME} instead: this file is found through it")
        elif name in known:
            reading.given[name] = Given(value, origin, path.parent)
        else:
            reading.complain(origin, f"no such setting{environment.nearest(name, known)}")


def _flat(document: Mapping[str, object], whole: Collection[str]) -> list[tuple[str, object]]:
    """Dotted names of a TOML document; tables go one deep, but for those that are settings as a whole."""
    rows: list[tuple[str, object]] = []
    for key, value in document.items():
        if isinstance(value, dict) and key not in whole:
            rows += [(f"{key}.{inner}", leaf) for inner, leaf in value.items()]
        else:
            rows.append((key, value))
    return rows
