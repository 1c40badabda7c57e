"""Why a file may not be looked at, for people."""

from __future__ import annotations

import os
import pwd
from pathlib import Path


def refusal(path: Path) -> str:
    """Whose it is, of what on the way to it can be seen: a sentence."""
    for seen in (path, *path.parents):
        try:
            owner = seen.stat().st_uid
        except OSError:
            continue
        if owner == os.geteuid():
            return f"{path} can't be read: the mode of {seen} does not allow it"
        return f"{path} can't be read: {seen} belongs to user {_name(owner)}"
    return f"{path} can't be read"


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
