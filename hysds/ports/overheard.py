"""What others say on the broker: Celery's own events of workers and their tasks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from hysds.core.happenings import Happening

Hear = Callable[[Sequence[Happening]], object]
"""Takes what was heard. It may raise Unreachable: then the same is handed over again, before anything else."""


class Overheard(Protocol):
    """Listening, for one thread."""

    def listen(self, hear: Hear, stop: threading.Event) -> None:
        """Hand over what is said until told to stop. A broker that goes away is listened to again when it is back; on
        RabbitMQ what was said meanwhile is kept for a minute, on Redis nobody keeps it.
        """
