"""Whether the home is still this warden's: somebody may remove or move it while all of it runs.

The lock is a file and the door a socket in it. What other processes find under those names is another file then, or
none: the next `hysds up` would start a second system beside this one.
"""

from __future__ import annotations

import os
import time

LOOK_EVERY_S = 5.0

_Identity = tuple[int, int]


class Holding:
    """The lock and the door, as they are now. Looking costs two calls of the kernel."""

    def __init__(self, lock: int, lock_path: str, door_path: str) -> None:
        """`lock`: the descriptor that holds the home.

        Raises: OSError where the door is not there.
        """
        self._places = {lock_path: _identity(os.fstat(lock)), door_path: _identity(os.stat(door_path))}
        self._next_s = time.monotonic() + LOOK_EVERY_S

    def again_s(self) -> float:
        """How long until it is time to look."""
        return max(self._next_s - time.monotonic(), 0.0)

    def loss(self) -> str:
        """What is not ours any more, for people; "" for nothing. A place that can't be looked at counts as ours."""
        self._next_s = time.monotonic() + LOOK_EVERY_S
        for path, identity in self._places.items():
            try:
                if _identity(os.stat(path, follow_symlinks=False)) != identity:
                    return f"{path} was replaced"
            except (FileNotFoundError, NotADirectoryError):
                return f"{path} was removed"
            except OSError:
                continue
        return ""


def _identity(found: os.stat_result) -> _Identity:
    return found.st_dev, found.st_ino
