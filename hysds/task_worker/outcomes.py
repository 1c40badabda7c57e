"""What a call's end means: from a child's answer, or from a child's death, to the outcome of the task."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from hysds.core import outcome
from hysds.core.outcome import Outcome
from hysds.core.status import FailureClass
from hysds.lib import units
from hysds.lib.process.ending import Ending, Reason
from hysds.task_worker import child
from hysds.task_worker.children import Answer

_FUNCTION_HINT = "see the function's name, and tasks.allow in the worker's settings (hysds config show)"


def of_answer(answer: Answer, ran_s: float) -> Outcome:
    """The outcome of a call that its child came back from."""
    if answer.kind == child.DONE:
        return Outcome(exit_code=0)
    said = json.loads(answer.text)
    return _FAILURES[answer.kind](said, units.format_duration(round(ran_s, 3)))


def of_hard_limit(ran_s: float) -> Outcome:
    """The child was killed."""
    ran = units.format_duration(round(ran_s, 3))
    hint = "raise time_limit, or make the work smaller; a call that blocks in C code hears nothing of a soft limit"
    return Outcome(
        FailureClass.TIMEOUT, f"ran into its hard time limit after {ran}: its process was killed", hint
    )


def of_death(ending: Ending | None, function: str, ran_s: float) -> Outcome:
    """The child died in the call, which had run for so long; the child itself may be hours old."""
    if ending is None:
        return Outcome(FailureClass.INTERNAL, "nobody can tell how its process ended")
    judged = outcome.of_ending(_of_the_call(ending, ran_s), (function,))
    if ending.reason is Reason.EXITED:
        text = f"its process ended itself with exit code {ending.exit_code} before the function returned"
        return Outcome(
            FailureClass.USER,
            text,
            "os._exit and the like end the process of a task",
            exit_code=ending.exit_code,
        )
    if ending.reason is Reason.SIGNALLED:
        return Outcome(
            FailureClass.USER,
            f"its process was {judged.error}",
            judged.hint or "see the end of its output, and the C code that it calls",
            exit_code=judged.exit_code,
            signum=judged.signum,
        )
    return judged


def _of_the_call(ending: Ending, ran_s: float) -> Ending:
    if ending.started is None:
        return ending
    return replace(ending, started=replace(ending.started, boot_s=ending.ended.boot_s - round(ran_s, 3)))


def _failed(said: Mapping[str, Any], ran: str) -> Outcome:
    return Outcome(FailureClass.USER, said["error"], traceback=said.get("traceback", ""))


def _soft_limit(said: Mapping[str, Any], ran: str) -> Outcome:
    hint = "raise soft_time_limit, or make the work smaller"
    error = f"ran into its soft time limit after {ran}"
    return Outcome(FailureClass.TIMEOUT, error, hint, said.get("traceback", ""))


def _invalid(said: Mapping[str, Any], ran: str) -> Outcome:
    return Outcome(FailureClass.INVALID, said["error"], permanent=True)


def _no_function(said: Mapping[str, Any], ran: str) -> Outcome:
    return Outcome(FailureClass.INVALID, said["error"], _FUNCTION_HINT, permanent=True)


def _broken_module(said: Mapping[str, Any], ran: str) -> Outcome:
    return Outcome(FailureClass.ENVIRONMENT, said["error"], traceback=said.get("traceback", ""))


def _too_late(said: Mapping[str, Any], ran: str) -> Outcome:
    return Outcome(
        FailureClass.WORKER_LOST,
        "was not called, as its worker had stood still for longer than a lease",
        "the worker was stopped or starved; see the load of the host",
    )


_FAILURES: Mapping[bytes, Callable[[Mapping[str, Any], str], Outcome]] = {
    child.FAILED: _failed,
    child.SOFT_LIMIT: _soft_limit,
    child.INVALID: _invalid,
    child.NO_FUNCTION: _no_function,
    child.BROKEN_MODULE: _broken_module,
    child.TOO_LATE: _too_late,
}
