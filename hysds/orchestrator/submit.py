"""Submission: specs become accepted jobs, in one step of the ledger, and somebody is told.

A crash before the step loses nothing that was promised; a crash after it loses a bell, and the next renewal of any
worker finds the job. The ids are made here, so a caller who got no answer repeats with the same ids and learns what
happened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hysds.core.acceptance import DedupPolicy, acceptance, rejection
from hysds.core.errors import Conflict, Full, InvalidSpec, Refused, TooOld
from hysds.core.ids import JobId
from hysds.core.requests import Accepting, Answer
from hysds.core.shapes import MAX_SHAPES_PER_QUEUE
from hysds.core.spec import JobSpec
from hysds.core.status import Status
from hysds.dispatcher import Dispatcher
from hysds.ports.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of one spec. `refused`: why it was not taken; then there is no job of this id from it."""

    id: JobId
    status: str
    twin: JobId | None = None
    """The job that stands for a duplicate."""
    twin_status: str = ""
    repeated: bool = False
    """This very submission was accepted before."""
    refused: Refused | None = None
    hearers: int | None = None
    """How many announced workers hear the queue that this step made the job ready in. None where it was not made
    ready: a duplicate, a repeat, a job that waits for its time."""


class Orchestrator:
    """Takes specs to the ledger."""

    def __init__(
        self, ledger: Ledger, dispatcher: Dispatcher, policy: DedupPolicy, new_id: Callable[[], str]
    ) -> None:
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._policy = policy
        self._new_id = new_id

    def submit(self, specs: Sequence[JobSpec], ids: Sequence[JobId] | None = None) -> tuple[Submission, ...]:
        """Accept jobs, in order. `ids`: the caller's own, one a spec, so that it may repeat; None: new ones.

        Raises: Unreachable when no answer came (repeat with the same ids); Full when the ledger has no memory left.
        """
        chosen = [JobId(self._new_id()) for _ in specs] if ids is None else list(ids)
        batch = [acceptance(id_, spec, self._policy) for id_, spec in zip(chosen, specs, strict=True)]
        accepted = self._ledger.accept(batch)
        self._dispatcher.ring(accepted.ready)
        hearers = {ready.queue: ready.hearers for ready in accepted.ready}
        return tuple(
            _submission(item.id, answer, item.queue, hearers.get(item.queue))
            for item, answer in zip(batch, accepted.answers, strict=True)
        )

    def reject(self, id_: JobId, text: str, refusal: InvalidSpec) -> None:
        """Record that the submission with this id was refused, so that whoever waits for it sees why."""
        item, complaints = rejection(id_, text, refusal)
        self._ledger.reject(item, complaints)


def _submission(id_: str, answer: Answer, queue: str, hearers: int | None) -> Submission:
    is_ready = answer.how is Accepting.ACCEPTED and answer.status == Status.QUEUED.value
    refused = _refusal(id_, answer, queue)
    return Submission(
        id=JobId(id_),
        status=answer.status,
        twin=JobId(answer.twin) if answer.twin else None,
        twin_status=answer.twin_status,
        repeated=answer.how is Accepting.REPEATED,
        refused=refused,
        hearers=hearers if is_ready else None,
    )


def _refusal(id_: str, answer: Answer, queue: str) -> Refused | None:
    if answer.how is Accepting.CONFLICT:
        return Conflict(
            f"job {id_}: another job has this id ({answer.status}); submit under an id of its own"
        )
    if answer.how is Accepting.TOO_OLD:
        return TooOld(
            f"job {id_}: the id was made too long ago to tell a repeat from a new job; submit under a new id, "
            "and see whether this host's clock is behind"
        )
    if answer.how is Accepting.FULL:
        return Full(
            f"job {id_}: queue {queue} holds ready jobs of {MAX_SHAPES_PER_QUEUE} different resource shapes; "
            "round the resources, or use another queue"
        )
    return None
