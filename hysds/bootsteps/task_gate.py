"""The gate of task workers and of the orchestrator's role: it takes bells, and calls of producers.

Calls are taken in whatever is free: the ledger decides on order and place. So the gate is open while there is room for
calls, and a bell that a full worker hears is dropped: it claims whenever a slot frees, and so do all other workers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from hysds.bootsteps.call import CALLS
from hysds.bootsteps.gate import Gate
from hysds.bootsteps.intake import Intake

_logger = logging.getLogger(__name__)


class TaskGate(Gate):
    """Hands calls to the intake; bells are as everywhere."""

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self._intake: Intake | None = None

    def register_with_event_loop(self, parent: Any, hub: Any) -> None:
        """As every gate; the first time the intake begins to work too."""
        if self._intake is None:
            app = parent.app
            self._intake = Intake(app.system.receiver(), lambda: app.backend, self._changed)
            self._intake.start(parent.app.lease_worker.slots)
        super().register_with_event_loop(parent, hub)

    def _is_open(self) -> bool:
        worker, intake = self._worker, self._intake
        return worker is not None and intake is not None and intake.has_room() and not worker.is_draining()

    def _heard(self, reject: Callable[[Any], None], message: Any) -> None:
        is_call = message.headers.get("task") in CALLS
        if self._intake is None or not self._is_open() or (not is_call and super()._is_open()):
            super()._heard(reject, message)
            return
        acknowledge = partial(message.ack_log_error, _logger, self._consumer.connection_errors)
        if is_call:
            self._intake.take(message, partial(self._consumer.call_soon, acknowledge))
        else:
            acknowledge()
