"""Whether the directory for jobs' files can be used: asked before a worker is started, as its own words come late.

Nothing is made here: the worker makes the directory, with what else it needs.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from hysds.core.errors import InvalidSettings
from hysds.settings.load import Loaded
from hysds.settings.sources import DEFAULT


def check(loaded: Loaded) -> None:
    """Raises: InvalidSettings, which names the setting and the directory, where no worker could write."""
    directory = loaded.settings.work_dir
    if (reason := _problem(directory)) is None:
        return
    names = {"worker.work_dir": "worker.work_dir", "home": "HYSDS_HOME"}
    set_ = next((name for name in names if loaded.origins[name] != DEFAULT), None)
    origin = "worker.work_dir (default)" if set_ is None else loaded.origins[set_]
    what = names[set_ or "worker.work_dir"]
    raise InvalidSettings(
        origin, f"no work directories can be made in {directory}: {reason}; set {what} to another directory"
    )


def _problem(directory: Path) -> str | None:
    """What keeps this user from making the directory, or from writing in it; None: nothing is known to."""
    try:
        found = directory.stat()
    except FileNotFoundError:
        return _problem(directory.parent) if directory.parent != directory else None
    except OSError as error:
        return f"{error.strerror} ({directory})"
    if not stat.S_ISDIR(found.st_mode):
        return f"{directory} is no directory"
    if not os.access(directory, os.W_OK | os.X_OK):
        return f"this user may not write in {directory}"
    return None
