"""One attempt of a task, read aloud: a child is taken, calls, and is given back or ended; the outcome is concluded.

Whatever step raises, `run` answers what to tell the ledger, exactly once, and raises nothing.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from hysds.core import calls, limits, outcome
from hysds.core.errors import Internal
from hysds.core.limits import TimeLimits
from hysds.core.outcome import Outcome
from hysds.core.spec import TASK
from hysds.leasing.attempt import Attempt
from hysds.leasing.conclusion import Verdict, broken, conclude
from hysds.lib.process.ending import Ending, boot_s
from hysds.ports.engines import Running
from hysds.task_worker import child, outcomes
from hysds.task_worker.children import Answer, Child, Children, Silence

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tools:
    """What an attempt works with; seconds."""

    children: Children
    host: str
    default_time_limit_s: float
    time_limit_gap_s: float
    chance: Callable[[], float]
    ledger_ms: Callable[[], int]


@dataclass(slots=True)
class Ended:
    """How a call ended. `result`: JSON; "" where there is none."""

    outcome: Outcome = field(default_factory=Outcome)
    result: str = ""
    tail: str = ""
    """The end of what a failed call printed."""


class Stoppable:
    """A child that runs a call, as whoever stops an attempt sees it."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self.was_stopped = False

    @property
    def pid(self) -> int | None:
        """The child's."""
        return self._running.pid

    def wait(self, timeout_s: float | None) -> Ending | None:
        """The child's end."""
        return self._running.wait(timeout_s)

    def stop(self, grace_s: float, reason: str) -> None:
        """End the child, and the call with it."""
        self.was_stopped = True
        self._running.stop(grace_s, reason)

    def close(self) -> None:
        """Whoever took the child closes it."""


def run(attempt: Attempt, tools: Tools) -> Verdict:
    """Carry out a claimed task; answers how to end its lease, None where it is not ours any more."""
    try:
        return _carried_out(attempt, tools)
    except Exception as error:  # noqa: BLE001  the outer shell: see above
        _log.exception("task %s: the attempt with fence %s broke", attempt.id, attempt.fence)
        return broken(attempt, error)


def _carried_out(attempt: Attempt, tools: Tools) -> Verdict:
    try:
        ended = _called(attempt, tools)
    except OSError as error:
        ended = Ended(outcome.of_os_error(error, attempt.phase))
    except Exception as error:  # noqa: BLE001  whatever broke, the task ends with a class and a reason
        ended = Ended(outcome.of_exception(error, attempt.phase, traceback.format_exc()))
    return conclude(attempt, ended.outcome, detail(attempt, ended, tools.host), tools)


def _called(attempt: Attempt, tools: Tools) -> Ended:
    """Raises: OSError, RuntimeError where no child can be made; Internal for a spec that this worker can't read."""
    if attempt.defect:
        raise Internal(
            f"this worker can't read the task's spec ({attempt.defect}); is it older than who submitted?"
        )
    if attempt.spec.kind != TASK:
        raise Internal(f"job {attempt.id} is no task: a job worker runs it, on another queue")
    attempt.await_sure()
    times = limits.time_limits(
        attempt.spec, tools.default_time_limit_s, tools.time_limit_gap_s, attempt.deadline_in_s()
    )
    if attempt.stopped is not None:
        return Ended()
    if times.hard_s <= 0:
        return Ended(outcome.at_deadline(Outcome(), None))
    with attempt.entering("execute"):
        return _executed(attempt, times, tools.children)


def _executed(attempt: Attempt, times: TimeLimits, children: Children) -> Ended:
    taken = children.take()
    stoppable = Stoppable(taken.running)
    attempt.attach(stoppable)
    began_s = boot_s()
    soft_at_s = None if times.soft_s is None else began_s + times.soft_s
    try:
        answer = taken.call(_request(attempt, soft_at_s), soft_at_s, began_s + times.hard_s)
    except Silence as silence:
        attempt.detach()
        return _unanswered(attempt, silence, taken, children, boot_s() - began_s)
    attempt.detach()
    ended = _answered(answer, taken, boot_s() - began_s)
    if stoppable.was_stopped:
        children.replace(taken)
    else:
        children.give_back(taken)
    return ended


def _request(attempt: Attempt, soft_at_s: float | None) -> bytes:
    call = calls.call_of(attempt.spec)
    return json.dumps(
        {
            "function": call.function,
            "args": call.args,
            "kwargs": call.kwargs,
            "id": attempt.id,
            "start_by_s": attempt.sure_until_s,
            "soft_at_s": soft_at_s,
        }
    ).encode()


def _answered(answer: Answer, taken: Child, ran_s: float) -> Ended:
    if answer.kind == child.DONE:
        return Ended(Outcome(exit_code=0), answer.text.decode())
    return Ended(outcomes.of_answer(answer, ran_s), tail=taken.tail())


def _unanswered(attempt: Attempt, silence: Silence, taken: Child, children: Children, ran_s: float) -> Ended:
    tail = taken.tail()
    ending = taken.gone() if silence.in_time else taken.end()
    children.replace(None)
    if silence.in_time or attempt.stopped is not None:
        return Ended(outcomes.of_death(ending, calls.call_of(attempt.spec).function, ran_s), tail=tail)
    left_s = attempt.deadline_in_s()
    if left_s is not None and left_s <= 0:
        return Ended(outcome.at_deadline(Outcome(), ran_s), tail=tail)
    return Ended(outcomes.of_hard_limit(ran_s), tail=tail)


def detail(attempt: Attempt, ended: Ended, host: str) -> str:
    """The attempt as JSON, for the ledger; see `core.attempts` for its keys."""
    of = ended.outcome
    failed = of.failure is not None
    values = {
        "exit_code": of.exit_code if failed else None,
        "signum": of.signum,
        "error": of.error if failed else None,
        "traceback": of.traceback or None,
        "hint": of.hint or None,
        "phase": "execute" if failed else None,
        "phases": attempt.phases,
        "execute_node": host,
        "stdout_tail": ended.tail or None,
    }
    text = json.dumps(
        {name: value for name, value in values.items() if value is not None}, separators=(",", ":")
    )
    # The result is JSON already: it is not read here, only put in.
    return f'{text[:-1]},"result":{ended.result}}}' if ended.result else text
