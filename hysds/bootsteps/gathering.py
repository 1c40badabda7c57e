"""Events of jobs go to the broker together: one message for all of a moment.

Celery would send what there is in each round of its event loop. With jobs that end within milliseconds that is a
message for each event, and costs more than all the rest of the job's bookkeeping.
"""

from __future__ import annotations

from typing import Any

_GATHER_S = 0.1
_MOST = 10_000
"""Beyond so many whoever has an event to tell sends them all, and waits for the broker."""


class Gathering:
    """Of one connection: its timers end with it."""

    def __init__(self, consumer: Any) -> None:
        """Celery has just made the consumer's dispatcher anew; there is none where nobody wants events."""
        self._consumer = consumer
        self._dispatcher = consumer.event_dispatcher
        self._is_due = False
        if self._dispatcher is not None:
            self._dispatcher.on_send_buffered = self._came
            self._dispatcher.buffer_limit = _MOST

    def close(self) -> None:
        """Send what is there, if the connection lasts; else it goes over to the next one."""
        if self._dispatcher is not None:
            self._dispatcher.flush()

    def _came(self) -> None:
        """An event, in any thread."""
        if not self._is_due:
            self._is_due = True
            self._consumer.call_soon(self._wait)

    def _wait(self) -> None:
        self._consumer.hub.call_later(_GATHER_S, self._send)

    def _send(self) -> None:
        self._is_due = False
        self._dispatcher.flush()
