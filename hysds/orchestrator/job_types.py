"""The published job types as one process sees them: cached by digest, asked for at most once an interval.

A submitter may therefore use a set that was replaced up to FRESH_S ago: its submission counts as one from before. The
interval keeps submission at one round trip; only the first after a pause asks for the digest too, 32 bytes.

A process that has files of job types (`catalog.paths`) publishes them where nothing is published yet; after that they
are published by whoever is told to: the reconciler at its start and on SIGHUP, and `hysds config reload`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from hysds.core.errors import Complaint, Conflict, Internal
from hysds.core.job_types import catalog
from hysds.core.job_types.catalog import Catalog
from hysds.ports.catalog import CatalogShelf

FRESH_S = 2.0

Files = Callable[[], tuple[Catalog, tuple[Complaint, ...]]]
"""Reads the files of job types of this host, and what has no effect in them."""


@dataclass(frozen=True, slots=True)
class Reload:
    """What a new reading of the files changed, by the names of types."""

    known: Catalog
    """What is in force now."""
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    notes: tuple[Complaint, ...] = ()
    """What in the files has no effect."""

    @property
    def is_same(self) -> bool:
        """Whether the files say what was in force already."""
        return not (self.added or self.changed or self.removed)


class JobTypes:
    """Safe to share between threads. `now_s` is a monotonic clock; `files` of None: this host has none."""

    def __init__(self, shelf: CatalogShelf, now_s: Callable[[], float], files: Files | None = None) -> None:
        self._shelf = shelf
        self._now_s = now_s
        self._files = files
        self._lock = threading.Lock()
        self._known = catalog.EMPTY
        self._digest = catalog.NOTHING_PUBLISHED
        self._asked_s: float | None = None

    def current(self) -> Catalog:
        """The types that are in force, as of FRESH_S ago at most; without any published one, those of the files.

        Raises: Unreachable; InvalidSpec where nothing is published and the files can't be.
        """
        with self._lock:
            if self._asked_s is None or self._now_s() - self._asked_s > FRESH_S:
                self._ask_or_publish()
            return self._known

    def latest(self) -> Catalog:
        """The types that are in force now.

        Raises: as `current`.
        """
        with self._lock:
            self._ask_or_publish()
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

    def reload(self, files: Files, publishes: bool = True) -> Reload:
        """Read the files of job types again and publish them in place of what files said before.

        `publishes` of False: only say what that would change.
        Raises: InvalidSpec with everything wrong in them, Conflict as `change`; what was in force stays so then.
        """
        of_files, notes = files()
        before: list[Catalog] = []
        notes = (*notes, *self._replace_unreadable())

        def change(known: Catalog) -> Catalog:
            before.append(known)
            return catalog.with_files(known, of_files)

        after = self.change(change) if publishes else change(self._seen())
        old, new = before[-1].types, after.types
        return Reload(
            after,
            added=tuple(name for name in new if name not in old),
            changed=tuple(name for name in new if name in old and new[name] != old[name]),
            removed=tuple(name for name in old if name not in new),
            notes=notes,
        )

    def _seen(self) -> Catalog:
        """What is published now, and nothing else."""
        with self._lock:
            self._ask()
            return self._known

    def _replace_unreadable(self) -> tuple[Complaint, ...]:
        """What another version of HySDS published, and this one can't read, counts as no types from now on."""
        with self._lock:
            try:
                self._ask()
            except Internal as error:
                self._known, self._digest = catalog.EMPTY, self._shelf.digest()
                return (
                    Complaint("published", f"{error}; what `hysds types add` added is to be added again"),
                )
        return ()

    def _ask_or_publish(self) -> None:
        """Raises: InvalidSpec where this process has to publish its files, and can't: the next call tries again."""
        self._ask()
        if self._digest != catalog.NOTHING_PUBLISHED or self._files is None:
            return
        self._asked_s = None
        found, _ = self._files()
        if self._shelf.publish(found, catalog.NOTHING_PUBLISHED):
            self._known, self._digest, self._asked_s = found, found.digest, self._now_s()
        else:
            self._ask()  # somebody else was first

    def _ask(self) -> None:
        asked_s = self._now_s()
        digest = self._shelf.digest()
        if digest != self._digest:
            published = self._shelf.published()
            self._known = catalog.EMPTY if published is None else published
            # The one that was read, which may be newer than the one that was asked for.
            self._digest = catalog.NOTHING_PUBLISHED if published is None else published.digest
        self._asked_s = asked_s
