"""What the document of a job says that failed because worker after worker was lost under it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hysds.core.record import Attempt, worker_name
from hysds.core.status import FailureClass

MAX_NAMED = 10
"""Workers that an error names; more are counted."""

HINT = (
    "see in its attempts what each did last (of several the last ran alone on its worker): a job that uses up its "
    "host's memory or disk takes the worker with it; limit it with resources.memory, or raise retry.worker-lost where "
    "the workers died of something else"
)


@dataclass(frozen=True, slots=True)
class Toll:
    """The workers that were lost while they ran a job. `names`: each once, in the order of its first loss."""

    error: str
    names: tuple[str, ...]


def toll(attempts: Sequence[Attempt]) -> Toll | None:
    """Whom the job took with it; None where no attempt lost its worker."""
    lost = [
        worker_name(attempt.owner) for attempt in attempts if attempt.how == FailureClass.WORKER_LOST.value
    ]
    if not lost:
        return None
    times = Counter(lost)
    names = tuple(times)[:MAX_NAMED]
    if len(lost) == 1:
        return Toll(f"the worker that ran it was lost: {names[0]}", names)
    told = [name if times[name] == 1 else f"{name} ({times[name]} times)" for name in names]
    if len(times) > MAX_NAMED:
        told.append(f"{len(times) - MAX_NAMED} others")
    return Toll(f"{len(lost)} workers were lost while they ran it: {', '.join(told)}", names)
