"""The published job types as one process sees them: cached by digest, asked for at most once an interval.

A submitter may therefore use a set that was replaced up to FRESH_S ago: its submission counts as one from before. The
interval keeps submission at one round trip; only the first after a pause asks for the digest too, 64 bytes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from hysds.core import catalog
from hysds.core.catalog import Catalog
from hysds.core.errors import Conflict
from hysds.ports.catalog import CatalogShelf

FRESH_S = 2.0


class JobTypes:
    """Safe to share between threads. `now_s` is a monotonic clock."""

    def __init__(self, shelf: CatalogShelf, now_s: Callable[[], float]) -> None:
        self._shelf = shelf
        self._now_s = now_s
        self._lock = threading.Lock()
        self._known = catalog.EMPTY
        self._digest = catalog.NOTHING_PUBLISHED
        self._asked_s: float | None = None

    def current(self) -> Catalog:
        """The types that are in force, as of FRESH_S ago at most; without any published one, none.

        Raises: Unreachable
        """
        with self._lock:
            if self._asked_s is None or self._now_s() - self._asked_s > FRESH_S:
                self._ask()
            return self._known

    def latest(self) -> Catalog:
        """The types that are in force now.

        Raises: Unreachable
        """
        with self._lock:
            self._ask()
            return self._known

    def change(self, change: Callable[[Catalog], Catalog]) -> Catalog:
        """Publish what `change` makes of the types in force, and answer it.

        Raises: Conflict where another operator published meanwhile; nothing of this change is in force then.
        """
        with self._lock:
            self._ask()
            changed = change(self._known)
            if not self._shelf.publish(changed, self._digest):
                raise Conflict(
                    "somebody else published job types just now: look at them, and repeat the command"
                )
            self._known, self._digest = changed, changed.digest
            return changed

    def _ask(self) -> None:
        asked_s = self._now_s()
        digest = self._shelf.digest()
        if digest != self._digest:
            published = self._shelf.published()
            self._known = catalog.EMPTY if published is None else published
            # The one that was read, which may be newer than the one that was asked for.
            self._digest = catalog.NOTHING_PUBLISHED if published is None else published.digest
        self._asked_s = asked_s
