"""Takes in calls over the broker, in threads of its own, and acknowledges each once its answer is stored.

A submission is answered when the ledger has it, a task when it has ended. Whatever dies before that leaves the message
unacknowledged: the broker hands it out again, and the id in it makes that harmless. A task that runs for longer than
`_WAITED_S` is acknowledged then; its result is still told, unless this process dies before.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any

from celery import states

from hysds.bootsteps import call
from hysds.bootsteps.call import Call
from hysds.celery import RUN_TASK, Ended, Receiver
from hysds.core.errors import HysdsError, InvalidSpec, Refused, Unreachable

MOST = 1_000
"""So many calls are under way; no more are taken from the broker."""
_WAITED_S = 600.0
"""RabbitMQ ends a consumer that leaves a message unacknowledged for half an hour."""
_PAUSE_S = 1.0
_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Taken:
    """A message that is not acknowledged yet."""

    acknowledge: Callable[[], None]
    since_s: float
    is_acknowledged: bool = False


class Intake:
    """Any thread may call any method."""

    def __init__(self, receiver: Receiver, backend: Callable[[], Any], changed: Callable[[], None]) -> None:
        """`changed`: there is room again, or none any more."""
        self._receiver = receiver
        self._backend = backend
        self._changed = changed
        self._lock = threading.Lock()
        self._arrived: SimpleQueue[tuple[Any, Taken]] = SimpleQueue()
        self._under_way: set[Taken] = set()
        self._oldest: deque[Taken] = deque()

    def start(self, threads: int) -> None:
        """Begin to take in what arrives."""
        for number in range(threads):
            name = f"hysds-intake-{number}"
            threading.Thread(target=self._work_for_ever, name=name, daemon=True).start()

    def has_room(self) -> bool:
        """Whether another call would be taken. Asked often: costs nothing."""
        return len(self._under_way) < MOST

    def take(self, message: Any, acknowledge: Callable[[], None]) -> None:
        """A call has come."""
        taken = Taken(acknowledge, time.monotonic())
        with self._lock:
            self._under_way.add(taken)
            self._oldest.append(taken)
        self._let_old_ones_go()
        self._arrived.put((message, taken))

    # ---- in the threads of the intake, and in the one that tells ends ----------------------------------------------

    def _work_for_ever(self) -> None:
        while True:
            message, taken = self._arrived.get()
            try:
                self._work(message, taken)
            except Exception as error:  # noqa: BLE001  the outer shell of a thread: one call may not end the others
                _log.exception("a call over the broker broke")
                self._answer(call.address(message), taken, error)

    def _work(self, message: Any, taken: Taken) -> None:
        try:
            asked = call.read(message, datetime.now(UTC))
            if asked is None:
                _log.info("call %s expired before it was heard", call.address(message)[0])
                self._done(taken)
                return
            self._carry_out(asked, taken)
        except HysdsError as error:
            _log.warning("call %s is refused: %s", call.address(message)[0], error)
            self._answer(call.address(message), taken, error)

    def _carry_out(self, asked: Call, taken: Taken) -> None:
        if asked.task != RUN_TASK:
            self._answer((asked.id, asked.request), taken, None, self._insist(asked), asked.wants_result)
            return
        job_id = self._insist(asked)
        if not asked.wants_result:
            self._done(taken)
            return

        def told(ended: Ended) -> None:
            self._answer((asked.id, asked.request), taken, ended.error, ended.result)

        self._receiver.watch(job_id, told)

    def _insist(self, asked: Call) -> str:
        """Submit until the ledger answers: a producer that was promised a job waits with us.

        Raises: HysdsError, but not Unreachable.
        """
        submit = self._receiver.run_task if asked.task == RUN_TASK else self._receiver.submit_job
        while True:
            try:
                return submit(asked.argument, asked.id, asked.priority)
            except Unreachable:
                time.sleep(_PAUSE_S)

    def _answer(
        self,
        address: tuple[str, Any],
        taken: Taken,
        error: Exception | None,
        result: Any = None,
        wanted: bool = True,
    ) -> None:
        id_, request = address
        try:
            if wanted and error is None:
                self._backend().store_result(id_, result, states.SUCCESS, request=request)
            elif wanted:
                self._backend().store_result(id_, _plain(error), states.FAILURE, request=request)
        except Exception as failed:  # noqa: BLE001  any backend's own errors
            _log.error(
                "the result of call %s could not be stored: %r; the broker hands it out again", id_, failed
            )
            self._let_go(taken)
            return
        self._done(taken)

    def _done(self, taken: Taken) -> None:
        self._acknowledge(taken)
        self._let_go(taken)

    def _let_go(self, taken: Taken) -> None:
        with self._lock:
            was_full = len(self._under_way) >= MOST
            self._under_way.discard(taken)
        if was_full:
            self._changed()

    def _acknowledge(self, taken: Taken) -> None:
        with self._lock:
            already, taken.is_acknowledged = taken.is_acknowledged, True
        if not already:
            taken.acknowledge()

    def _let_old_ones_go(self) -> None:
        """Acknowledge what has been under way for long; looked at whenever a call comes."""
        while self._oldest:
            oldest = self._oldest[0]
            if oldest in self._under_way:
                if time.monotonic() < oldest.since_s + _WAITED_S:
                    return
                self._acknowledge(oldest)
            with self._lock:
                self._oldest.popleft()


def _plain(error: Exception | None) -> Exception | None:
    """One whose arguments JSON can carry, so that whoever waits can make it again."""
    return Refused(str(error)) if isinstance(error, InvalidSpec) else error
