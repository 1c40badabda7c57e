"""Submission: specs become accepted jobs, in one step of the ledger, and somebody is told.

A crash before the step loses nothing that was promised; a crash after it loses a bell, and the next renewal of any
worker finds the job. The ids are made here, so a caller who got no answer repeats with the same ids and learns what
happened.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from hysds.core.acceptance import rejection
from hysds.core.errors import (
    Complaint,
    Conflict,
    CreatorFailed,
    Full,
    InvalidSpec,
    Refused,
    TooOld,
    Unreachable,
)
from hysds.core.ids import JobId
from hysds.core.job_types.catalog import JobType
from hysds.core.kin import is_unsealed, sums
from hysds.core.record import GROUP
from hysds.core.requests import Acceptance, Accepted, Accepting, Answer
from hysds.core.shapes import MAX_SHAPES_PER_QUEUE
from hysds.core.spec import JobSpec, identity, stored
from hysds.core.status import Status
from hysds.dispatcher import Dispatcher
from hysds.orchestrator import planning
from hysds.orchestrator.families import Family
from hysds.orchestrator.groups import Groups
from hysds.orchestrator.past import Documents, Past, nothing_stored, unknown_dependency
from hysds.orchestrator.planning import Plan, Planner
from hysds.ports.ledger import Ledger

_SHOWN = 5
"""So many ids stand in a message."""
_TOO_OLD = (
    "the id was made too long ago to tell a repeat from a new job; submit under a new id, and see whether this host's "
    "clock is behind"
)
_TOO_OLD_HERE = (
    "its id, which was made just now, is older than what the ledger remembers: this host's clock is far behind the "
    "ledger's; set it, and submit again (nothing was accepted)"
)


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of one spec. `refused`: why it was not taken; then there is no job of this id from it."""

    id: JobId
    status: str
    queue: str = ""
    shape: str = ""
    """What it needs of a host, as `core.shapes` writes it."""
    twin: JobId | None = None
    """The job that stands for a duplicate; of one that was forced (`enable_dedup: false`), the job that would have."""
    twin_status: str = ""
    repeated: bool = False
    """This very submission was accepted before."""
    refused: Refused | None = None
    members: int = 0
    """Of a group: how many members it has."""
    hearers: int | None = None
    """How many announced workers hear the queue that this step made the job ready in. None where it was not made
    ready: a duplicate, a repeat, a job that waits for its time."""

    @property
    def is_duplicate(self) -> bool:
        """Whether its twin stands for it: nothing runs under this id."""
        return self.twin is not None and self.status == Status.DEDUPED.value


@dataclass(frozen=True, slots=True)
class GroupSubmission:
    """What became of a group. `members`: the ids of its own members, in order."""

    group: Submission
    members: tuple[JobId, ...]


class Orchestrator:
    """Takes specs to the ledger. `documents`: the store's, of jobs that the ledger may have forgotten."""

    def __init__(
        self,
        ledger: Ledger,
        dispatcher: Dispatcher,
        planner: Planner,
        new_id: Callable[[], str],
        documents: Documents = nothing_stored,
    ) -> None:
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._planner = planner
        self._new_id = new_id
        self._past = Past(ledger, documents)
        self._groups = Groups(ledger, dispatcher, self._accepted)

    def submit(
        self,
        specs: Sequence[JobSpec],
        ids: Sequence[JobId] | None = None,
        retry_of: Sequence[JobId] | None = None,
    ) -> tuple[Submission, ...]:
        """Accept jobs, in order. `ids`: the caller's own, one a spec, so that it may repeat; None: new ones.

        What the creators of a spec's type make of it is accepted in its place; where they fail, its answer says so, and
        nothing of it was submitted.

        `retry_of`: the ended job that each does again, and is no duplicate of; None: they are no retries.
        Raises: InvalidSpec for the first spec that its type or a policy does not allow, before anything is accepted;
        where its id is the caller's and it is no retry, that is on record. Unreachable when no answer came (its note
        says what is known; repeat with the same ids); Full when the ledger has no memory left.
        """
        chosen = [JobId(self._new_id()) for _ in specs] if ids is None else list(ids)
        repeated: Sequence[str] = [""] * len(specs) if retry_of is None else retry_of
        plans = [
            self._planned(id_, spec, old, is_own=ids is not None)
            for id_, spec, old in zip(chosen, specs, repeated, strict=True)
        ]
        return tuple(self._submitted(plans, made_here=ids is None))

    def submit_group(
        self, parent: JobSpec, members: Sequence[JobSpec], id: JobId | None = None
    ) -> GroupSubmission:
        """Accept a group with all of its members, or nothing of it. `parent` has no command that runs: its record ends
        when all members have. `id`: the caller's own, so that it may repeat; None: a new one.

        Raises: as `submit`, for the parent and each member.
        """
        id_ = JobId(self._new_id()) if id is None else id
        try:
            family = self._planner.group(id_, parent, members)
        except InvalidSpec as refusal:
            if id is not None:
                self.reject(id_, stored(parent), refusal)
            raise
        return GroupSubmission(self._taken_group(family, made_here=id is None), family.direct)

    def _submitted(self, plans: Sequence[Plan | Submission], made_here: bool) -> Iterator[Submission]:
        """In order: what comes after another of the same call finds it there. Single jobs go in together."""
        for is_single, run in itertools.groupby(plans, key=lambda plan: isinstance(plan, Acceptance)):
            if is_single:
                yield from self._taken([plan for plan in run if isinstance(plan, Acceptance)], made_here)
            else:
                for plan in run:
                    if isinstance(plan, Submission):
                        yield plan
                    elif isinstance(plan, Family):
                        yield self._taken_group(plan, made_here)

    def check(self, spec: JobSpec) -> None:
        """Whether a spec would be submitted as far as its type and policies go; nothing is, and no creator is called.

        Raises: InvalidSpec with every complaint.
        """
        self._planner.check(spec)

    def _planned(self, id_: JobId, spec: JobSpec, retry_of: str, is_own: bool) -> Plan | Submission:
        """What the spec is to become, or what became of it already."""
        try:
            if retry_of:
                return self._planner.retry(id_, spec, retry_of)
            job_type = self._planner.creates(spec)
            if job_type is None:
                plan = self._planner.job(id_, spec)
                return planning.known_by(plan, spec) if is_own else plan
            before = self._told_before(id_, spec) if is_own else None
            return before or self._created(id_, spec, job_type, is_own)
        except InvalidSpec as refusal:
            # A refused retry leaves nothing under its id: its job tells of itself, and may be retried when it fits.
            if is_own and not retry_of:
                before = self._told_before(id_, spec)
                if before is not None and before.refused is None:
                    return before  # it was taken, under the types and policies of then
                self.reject(id_, stored(spec), refusal)
            raise

    def _created(self, id_: JobId, spec: JobSpec, job_type: JobType, is_own: bool) -> Plan | Submission:
        try:
            return self._planner.created(id_, spec, job_type)
        except CreatorFailed as refusal:
            if is_own:
                self.reject(id_, stored(spec), InvalidSpec((Complaint("$.job_type", str(refusal)),)))
            return Submission(id_, Status.FAILED.value if is_own else "", refused=refusal)

    def _told_before(self, id_: JobId, spec: JobSpec) -> Submission | None:
        """What became of this very submission before, whatever types and policies are now; None: nothing."""
        kept = self._ledger.kept([id_])[0]
        if kept is None or kept.record.digest != identity(stored(spec)):
            return None
        record = kept.record
        if record.kind == GROUP and is_unsealed(record):
            return None  # it was cut off, and goes on
        return Submission(
            id_,
            record.status.value,
            record.queue,
            record.shape,
            twin=JobId(record.dedup_job) if record.dedup_job else None,
            twin_status=record.dedup_status,
            repeated=True,
            members=sums(record.kids).get("total", 0),
            refused=CreatorFailed(str(json.loads(kept.error)["error"])) if kept.error else None,
        )

    def _taken(self, batch: Sequence[Acceptance], made_here: bool) -> Iterator[Submission]:
        settled, refused = self._past.settled(batch)
        accepted = self._accepted([item for item in settled if item.id not in refused])
        self._dispatcher.ring(accepted.ready)
        hearers = {ready.queue: ready.hearers for ready in accepted.ready}
        answers = iter(accepted.answers)
        for item in settled:
            if item.id in refused:
                yield Submission(JobId(item.id), "", item.queue, item.shape, refused=refused[item.id])
            else:
                yield _submission(item, next(answers), hearers.get(item.queue), made_here)

    def _taken_group(self, family: Family, made_here: bool) -> Submission:
        settled, refused = self._past.settled((family.group, *family.members))
        if refused:
            first_refusal = next(iter(refused.values()))
            return Submission(JobId(family.group.id), "", family.group.queue, refused=first_refusal)
        answer, ready = self._groups.submit(Family(settled[0], tuple(settled[1:])))
        first = settled[1]
        return replace(
            _submission(family.group, answer, None, made_here),
            queue=first.queue,
            shape=first.shape,
            members=family.group.members,
            hearers={one.queue: one.hearers for one in ready}.get(first.queue),
        )

    def _accepted(self, batch: Sequence[Acceptance]) -> Accepted:
        try:
            return self._ledger.accept(batch)
        except Unreachable as error:
            shown = ", ".join(item.id for item in batch[:_SHOWN])
            more = f" and {len(batch) - _SHOWN} more" if len(batch) > _SHOWN else ""
            error.add_note(
                "it is not known whether it took the jobs; once it answers, ask for their ids, and submit again those "
                f"that it does not know: {shown}{more}"
            )
            raise

    def reject(self, id_: JobId, text: str, refusal: InvalidSpec) -> None:
        """Record that the submission with this id was refused, so that whoever waits for it sees why."""
        item, complaints = rejection(id_, text, refusal)
        self._ledger.reject(item, complaints)


def _submission(item: Acceptance, answer: Answer, hearers: int | None, made_here: bool) -> Submission:
    is_ready = answer.how is Accepting.ACCEPTED and answer.status == Status.QUEUED.value
    return Submission(
        id=JobId(item.id),
        status=answer.status,
        queue=item.queue,
        shape=item.shape,
        twin=JobId(answer.twin) if answer.twin else None,
        twin_status=answer.twin_status,
        repeated=answer.how is Accepting.REPEATED,
        refused=_refusal(item, answer, made_here),
        hearers=hearers if is_ready else None,
    )


def _refusal(item: Acceptance, answer: Answer, made_here: bool) -> Refused | None:
    if answer.how is Accepting.CONFLICT:
        return Conflict(
            f"job {item.id}: another job has this id ({answer.status}); submit under an id of its own"
        )
    if answer.how is Accepting.NOT_ENDED:
        return Conflict(
            f"job {item.retry_of} is {answer.status}: what has not ended can't be retried; cancel it first"
        )
    if answer.how is Accepting.NO_PARENT:
        return Conflict(
            f"group {item.id} ended as {answer.status} before its members were in it: it was cancelled, or nobody went "
            "on with its submission for minutes; submit it under a new id"
        )
    if answer.how is Accepting.NO_DEPENDENCY:
        return unknown_dependency(item.id, answer.twin)
    if answer.how is Accepting.TOO_OLD:
        return TooOld(f"job {item.id}: {_TOO_OLD_HERE if made_here else _TOO_OLD}")
    if answer.how is Accepting.FULL:
        return Full(
            f"job {item.id}: queue {item.queue} holds ready jobs of {MAX_SHAPES_PER_QUEUE} different resource shapes; "
            "round the resources, or use another queue"
        )
    return None
