"""Acts on many jobs: named, or found by a query; in steps of at most MAX_BATCH, each told as it was done.

Two operators may act on the same jobs at once: each learns, job by job, what was his doing and what had changed before.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hysds.bootstrap import System
from hysds.core import queue_names, repetition
from hysds.core.control import UNMATCHED, Handled, Verb, amended, meaning
from hysds.core.errors import Complaint, Conflict, HysdsError, InvalidSpec, NotFound, Unreachable
from hysds.core.foresight import foreseen
from hysds.core.ids import JobId
from hysds.core.query import JobQuery
from hysds.core.repetition import Changes
from hysds.core.spec import MAX_PRIORITY, JobSpec
from hysds.core.status import ENDED
from hysds.orchestrator.submit import Submission
from hysds.ports.ledger import Kept
from hysds.ports.litter import Ground
from hysds.sdk.purging import Left, held, purged
from hysds.sdk.selecting import Matching, Named, Selection

Watch = Callable[[Sequence[Handled]], None]
"""Called with the jobs of each step, once it was done."""


@dataclass(slots=True)
class Summary:
    """What an act did. `answers`: how many of each of `core.control.MEANINGS`, and UNMATCHED; `total`: their sum."""

    verb: Verb
    total: int
    answers: Counter[str] = field(default_factory=Counter)
    unheard: set[str] = field(default_factory=set)
    """Queues that jobs were moved to and that no announced worker hears."""
    left: Left = field(default_factory=Left)

    @property
    def changed(self) -> int:
        """How many jobs are not as they were, by this act."""
        return sum(count for word, count in self.answers.items() if meaning(self.verb, word).is_change)


def _unwatched(handled: Sequence[Handled]) -> None:
    """Nobody watches."""


class Controls:
    """The part of `Client` that acts on many jobs. A query that names no status means the jobs that the act is for
    (`core.control.CANDIDATES`).
    """

    _system: System

    def cancel_where(self, query: JobQuery, watch: Watch = _unwatched) -> Summary:
        """Ask for the end of all jobs that match."""
        return self.act(Verb.CANCEL, self.matching(Verb.CANCEL, query), watch=watch)

    def retry_where(
        self,
        query: JobQuery,
        queue: str | None = None,
        priority: int | None = None,
        watch: Watch = _unwatched,
    ) -> Summary:
        """Do all ended jobs that match again; one that was retried before is left, so a repeat does none twice."""
        return self.act(Verb.RETRY, self.matching(Verb.RETRY, query), Changes(queue, priority), watch)

    def purge(self, job_ids: Sequence[str], watch: Watch = _unwatched) -> Summary:
        """Take ended jobs out for good: record, document, work directories, dedup key. Live ones are left."""
        return self.act(Verb.PURGE, Named(job_ids), watch=watch)

    def purge_where(self, query: JobQuery, watch: Watch = _unwatched) -> Summary:
        """Purge all ended jobs that match."""
        return self.act(Verb.PURGE, self.matching(Verb.PURGE, query), watch=watch)

    def requeue(self, job_ids: Sequence[str], queue: str, watch: Watch = _unwatched) -> Summary:
        """Move jobs that have not started to another queue; each keeps its place in time.

        Raises: InvalidSpec for what can't name a queue.
        """
        return self.act(Verb.REQUEUE, Named(job_ids), Changes(queue=queue), watch)

    def requeue_where(self, query: JobQuery, queue: str, watch: Watch = _unwatched) -> Summary:
        """Move all jobs that match and have not started; see `requeue`."""
        return self.act(Verb.REQUEUE, self.matching(Verb.REQUEUE, query), Changes(queue=queue), watch)

    def prioritize(self, job_ids: Sequence[str], priority: int, watch: Watch = _unwatched) -> Summary:
        """Give jobs that have not started another priority, 0 to 10.

        Raises: InvalidSpec for another number.
        """
        return self.act(Verb.PRIORITY, Named(job_ids), Changes(priority=priority), watch)

    def prioritize_where(self, query: JobQuery, priority: int, watch: Watch = _unwatched) -> Summary:
        """Give all jobs that match and have not started another priority."""
        selection = self.matching(Verb.PRIORITY, query)
        return self.act(Verb.PRIORITY, selection, Changes(priority=priority), watch)

    def matching(self, verb: Verb, query: JobQuery) -> Matching:
        """The jobs that match, counted now, for `act` and `foresee`, which look at each page when they come to it: what
        is accepted from now on is not among them, what begins to match meanwhile may be."""
        return Matching(self._system.store, verb, query)

    def act(
        self, verb: Verb, selection: Selection, changes: Changes | None = None, watch: Watch = _unwatched
    ) -> Summary:
        """Do it to a selection.

        Raises: Refused for an id that can't be one, InvalidSpec for changes that can't be; Unreachable in the middle
        too: what was done is done, and a repeat goes on.
        """
        wanted = changes or Changes()
        check(wanted)
        summary = Summary(verb, selection.total)
        for ids in selection.parts():
            handled = self._step(verb, ids, wanted, summary)
            summary.answers.update(one.answer for one in handled)
            watch(handled)
        left = summary.total - summary.answers.total()
        if left > 0:
            summary.answers[UNMATCHED] = left
        summary.total = summary.answers.total()
        return summary

    def foresee(
        self, verb: Verb, selection: Selection, changes: Changes | None = None
    ) -> Iterator[Sequence[Handled]]:
        """What `act` would do to each job as it stands now; nothing is changed."""
        wanted = changes or Changes()
        check(wanted)
        for ids in selection.parts():
            kept = held(self._system, ids)
            stored = self._system.store.get([id_ for id_ in ids if id_ not in kept])
            shown = {str(one["id"]): str(one.get("status")) for one in stored if one is not None}
            yield [_foreseen(verb, id_, kept.get(id_), shown.get(id_), wanted) for id_ in ids]

    def grounds(self) -> frozenset[Ground]:
        """Below which roots workers that are there work, and so remove directories of purged jobs."""
        there = [worker for worker in self._system.ledger.workers() if worker.left_ms > 0]
        told = ((worker.host, json.loads(worker.facts).get("work_dir")) for worker in there)
        return frozenset(Ground(host, root) for host, root in told if isinstance(root, str))

    def _step(self, verb: Verb, ids: Sequence[str], changes: Changes, summary: Summary) -> Sequence[Handled]:
        if verb is Verb.CANCEL:
            cancelled = self._system.ledger.cancel(ids)
            self._system.dispatcher.ring(cancelled.ready)  # what they kept from starting is ready now
            return [Handled(id_, answer) for id_, answer in cancelled.answers]
        if verb is Verb.RETRY:
            return self._retry(ids, changes)
        if verb is Verb.PURGE:
            return purged(self._system, ids, summary.left)
        moved = self._system.ledger.amend(ids, changes.queue or "", changes.priority)
        self._system.dispatcher.ring(moved.ready)
        if changes.queue is not None:
            summary.unheard.update(ready.queue for ready in moved.ready if ready.hearers == 0)
        return [Handled(id_, amended(answer)) for id_, answer in moved.answers]

    def _retry(self, ids: Sequence[str], changes: Changes) -> list[Handled]:
        """Under an id that follows from the old one: whoever does the same at once, or again, does it once."""
        kept = held(self._system, ids)
        forgotten = [id_ for id_ in ids if id_ not in kept]
        stored = dict(zip(forgotten, self._system.store.get(forgotten), strict=True)) if forgotten else {}
        told: dict[str, Handled] = {}
        specs: dict[str, JobSpec] = {}
        for id_ in ids:
            known, shown = kept.get(id_), stored.get(id_)
            before = known.record.retried_by if known is not None else (shown or {}).get("retried_by", "")
            if before:
                told[id_] = Handled(id_, "before", before)
                continue
            try:
                if known is not None:
                    specs[id_] = repetition.of_record(known.record, known.spec, changes)
                elif shown is not None:
                    specs[id_] = repetition.of_document(shown, changes)
                else:
                    raise NotFound(f"job {id_}: nobody knows it")
            except HysdsError as refusal:
                told[id_] = Handled(id_, "refused", str(refusal))
        told |= self._submitted(specs)
        return [told[id_] for id_ in ids]

    def _submitted(self, specs: Mapping[str, JobSpec]) -> dict[str, Handled]:
        if not specs:
            return {}
        old = [JobId(id_) for id_ in specs]
        new = [JobId(str(uuid.uuid5(uuid.UUID(id_), "retry_where"))) for id_ in old]
        try:
            taken = self._system.orchestrator.submit(list(specs.values()), new, retry_of=old)
        except Unreachable:
            raise
        except HysdsError as refusal:
            if len(specs) == 1:
                return {old[0]: Handled(old[0], "refused", str(refusal))}
            return {id_: one for at in specs for id_, one in self._submitted({at: specs[at]}).items()}
        return {id_: _retried(id_, one) for id_, one in zip(old, taken, strict=True)}


def check(changes: Changes) -> None:
    """Raises: InvalidSpec for a queue that can't be one, or a priority that can't."""
    complaints = [] if changes.queue is None else list(queue_names.check(changes.queue, "queue"))
    if changes.priority is not None and not 0 <= changes.priority <= MAX_PRIORITY:
        complaints.append(Complaint("priority", f"is from 0 to {MAX_PRIORITY}, not {changes.priority}"))
    if complaints:
        raise InvalidSpec(tuple(complaints))


def _retried(id_: str, taken: Submission) -> Handled:
    if taken.repeated or isinstance(taken.refused, Conflict):
        return Handled(id_, "matched", taken.id)
    if taken.refused is not None:
        return Handled(id_, "refused", str(taken.refused))
    if taken.is_duplicate:
        return Handled(id_, "matched", taken.twin or "")
    return Handled(id_, "retried", taken.id)


def _foreseen(verb: Verb, id_: str, kept: Kept | None, shown: str | None, changes: Changes) -> Handled:
    if kept is not None:
        return foreseen(verb, kept.record, kept.spec, changes)
    if shown is None or verb not in (Verb.PURGE, Verb.RETRY):
        return Handled(id_, "refused" if verb is Verb.RETRY else "missing")
    if shown not in ENDED:
        return Handled(id_, "ghost" if verb is Verb.PURGE else "refused")
    return Handled(id_, "cleared" if verb is Verb.PURGE else "retried")
