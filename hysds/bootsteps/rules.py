"""Rules, in the orchestrator's role: a thread of its own carries them out while the worker lives."""

from __future__ import annotations

import logging
import threading
from typing import Any

from celery import bootsteps

_LEAVE_S = 10.0
"""So long the round under way may take at the end; what it leaves undone others adopt."""
_log = logging.getLogger(__name__)


class RuleWork(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery publishes no types
    """Starts once the guardian of the worker exists, which may have no thread before."""

    requires = ("hysds.bootsteps.supervision:Supervision",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def include_if(self, parent: Any) -> bool:
        """Only the orchestrator's role carries out rules."""
        return bool(parent.app.carries_out_rules(tuple(parent.app.amqp.queues.consume_from)))

    def start(self, parent: Any) -> None:
        """Begin to read."""
        carrying_out = parent.app.system.carrying_out_rules()
        self._thread = threading.Thread(
            target=carrying_out.run, args=(self._stop,), name="hysds-rules", daemon=True
        )
        self._thread.start()

    def stop(self, parent: Any) -> None:
        """Finish what is under way."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_LEAVE_S)
            if self._thread.is_alive():
                _log.warning("rules: a round takes longer than the end of this worker; others adopt it")

    def terminate(self, parent: Any) -> None:
        """Read no more."""
        self._stop.set()
