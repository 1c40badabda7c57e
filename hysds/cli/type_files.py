"""Keeps published what this host's files of job types say: at the start of a role, and whenever it gets SIGHUP.

Files that can't be used change nothing: what was in force stays so, and the log has every complaint.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hysds.core.errors import Conflict, HysdsError, InvalidSpec
from hysds.orchestrator.job_types import Files, JobTypes, Reload

_TRIES = 20
"""Each one that fails is another publisher's that succeeded."""
_log = logging.getLogger(__name__)


class TypeFiles:
    """Publishes the files; `files` of None: this host has none, and nothing is ever published."""

    def __init__(self, types: JobTypes, files: Files | None) -> None:
        self._types = types
        self._files = files
        self._asked = threading.Event()
        self._over = False

    def ask(self) -> None:
        """Read them again soon. Safe in a signal handler."""
        self._asked.set()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Publish them now, and while the block runs whenever that is asked for."""
        self.publish()
        thread = threading.Thread(target=self._run, name="type-files", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over = True
            self._asked.set()
            thread.join()

    def publish(self) -> None:
        """Read and publish them once, and log what came of it."""
        if self._files is None:
            return
        try:
            done = self._published(self._files)
        except InvalidSpec as refusal:
            _log.error("job types: the files can't be used, and what was in force stays so")
            for complaint in refusal.complaints:
                _log.error("job types: %s", complaint)
        except HysdsError as error:
            _log.error("job types: nothing was published: %s", error)
        else:
            for note in done.notes:
                _log.warning("job types: %s", note)
            _log.info("job types: %s", told(done), extra={"action": "published", "digest": done.known.digest})

    def _published(self, files: Files) -> Reload:
        for _ in range(_TRIES - 1):
            try:
                return self._types.reload(files)
            except Conflict:
                continue
        return self._types.reload(files)

    def _run(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            if self._over:
                return
            if self._files is None:
                _log.info("job types: SIGHUP: catalog.paths names no files here, so nothing is read")
            self.publish()


def told(done: Reload) -> str:
    """What a reading of the files changed, in a line."""
    parts = [
        f"{what}: {', '.join(names)}"
        for what, names in (("added", done.added), ("changed", done.changed), ("removed", done.removed))
        if names
    ]
    return f"{len(done.known.types)} in force; {'; '.join(parts) or 'nothing changed'}"
