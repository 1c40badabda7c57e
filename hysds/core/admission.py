"""How a submission becomes a record: what it is a repeat or a duplicate of, what it waits for, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hysds.core import ids, kin_transitions, transitions
from hysds.core.kin import STAGING_MS, Chore, Kids, may_join
from hysds.core.line_steps import LineSteps
from hysds.core.record import GROUP, Record
from hysds.core.requests import FINISHED, Acceptance, Accepting, Answer
from hysds.core.status import Status


@dataclass(frozen=True, slots=True)
class Needs:
    """The jobs that a submission comes after. `unknown`, `failed`: the first such, "" for none."""

    live: tuple[str, ...] = ()
    unknown: str = ""
    failed: str = ""


class Admission(LineSteps):
    """What `accept` does with one submission, and `settle` with one that was staged."""

    def _accept(self, item: Acceptance, retention_ms: int, now_us: int) -> Answer:
        known = self.records.get(item.id)
        if known is not None:
            return self._repeated(known, item)
        made_ms = ids.made_ms(ids.JobId(item.id))
        if made_ms is not None and made_ms < now_us // 1000 - retention_ms:
            return Answer(Accepting.TOO_OLD)
        retried = self.records.get(item.retry_of)
        if retried is not None and not self._may_retry(retried):
            return Answer(Accepting.NOT_ENDED, retried.status.value)
        parent = self.records.get(item.parent)
        if item.parent and not may_join(parent, self.kin):
            return Answer(Accepting.NO_PARENT, parent.status.value if parent is not None else "")
        needs = self._needs(item)
        if needs.unknown:
            return Answer(Accepting.NO_DEPENDENCY, "", needs.unknown)
        return self._admit(item, needs, now_us)

    def _may_retry(self, record: Record) -> bool:
        return record.status.is_terminal

    def _repeated(self, known: Record, item: Acceptance) -> Answer:
        if known.digest != item.digest:
            return Answer(Accepting.CONFLICT, known.status.value)
        return Answer(Accepting.REPEATED, known.status.value, known.dedup_job, known.dedup_status)

    def _is_full(self, item: Acceptance, needs: Needs) -> bool:
        """A member is not refused for its shape: its group was let in or refused as a whole."""
        is_bound = item.kind != GROUP and not item.parent and not needs.failed
        return is_bound and not self.places.has_room(item.queue, item.shape)

    def _needs(self, item: Acceptance) -> Needs:
        """Where the jobs stand that it comes after; a duplicate stands for the job that it is a duplicate of.

        A member's group has been let in: what the ledger has forgotten since has ended somehow. A group that it is in
        itself will not have.
        """
        live: dict[str, None] = {}
        failed = item.doomed
        for named in item.after:
            if self._is_within(item, named):
                failed = failed or named
                continue
            record = self.records.get(named)
            if record is not None and record.status is Status.DEDUPED:
                completed_before = record.dedup_status == Status.COMPLETED.value
                record = self.records.get(record.dedup_job)
                if record is None and completed_before:
                    continue
            if record is None and not item.parent:
                return Needs(unknown=named)
            if record is not None and not record.status.is_terminal:
                live[record.id] = None
            elif (record is None or record.status is not Status.COMPLETED) and item.after_on != FINISHED:
                failed = failed or named
        return Needs(tuple(live), failed=failed)

    def _is_within(self, item: Acceptance, group: str) -> bool:
        """Whether a submission is a member of the group, however deep: neither could ever end after the other."""
        above = item.parent
        while above and above != group:
            record = self.records.get(above)
            above = record.parent if record is not None else ""
        return bool(above)

    def _admit(self, item: Acceptance, needs: Needs, now_us: int) -> Answer:
        twin = self.keys.twin(item, now_us // 1000)
        if twin is not None and not item.may_repeat:
            record = transitions.deduped(item, twin, self.generations.current, now_us)
            self._enter(self._placed(record), item.spec, "accept")
            return Answer(Accepting.DEDUPED, record.status.value, *twin)
        if self._is_full(item, needs):
            return Answer(Accepting.FULL)
        retried = self.records.get(item.retry_of)
        record = self._entrant(item, needs, now_us)
        if not record.status.is_terminal:
            self._tie(item, needs)
        record = self._named(self._placed(record))
        self._enter(record, item.spec, "accept")
        if retried is not None:
            self._link(retried, item.id, now_us)
        return Answer(Accepting.ACCEPTED, record.status.value, *(twin or ()))

    def _stands_already(self, item: Acceptance) -> None:
        """A member of a new group that can't enter: it is there from before its group was purged, or its id is
        another job's. The group must not wait for it."""
        known = self.records.get(item.id)
        is_same = known is not None and (known.digest, known.parent) == (item.digest, item.parent)
        if known is not None and is_same and item.id not in self.kin.members.get(item.parent, {}):
            self.kin.enters(known)
        else:
            self.kin.miscarries(item.parent)

    def _placed(self, record: Record) -> Record:
        parent = self.records.get(record.parent)
        return replace(record, depth=parent.depth + 1) if parent is not None else record

    def _entrant(self, item: Acceptance, needs: Needs, now_us: int) -> Record:
        if needs.failed:
            return kin_transitions.forsaken_at_birth(item, needs.failed, self.generations.current, now_us)
        if item.kind == GROUP:
            return kin_transitions.group(item, len(needs.live), self.generations.current, now_us)
        if needs.live:
            return kin_transitions.waits(item, len(needs.live), self.generations.current, now_us)
        return transitions.accepted(item, self.generations.current, now_us)

    def _tie(self, item: Acceptance, needs: Needs) -> None:
        """A live job takes its key, waits for those that it comes after, and (a group) counts its members."""
        for id in needs.live:
            self.kin.dependents.setdefault(id, set()).add(item.id)
        if item.kind != GROUP:
            self.keys.take(item, self.now_us // 1000)
            return
        self.kin.kids[item.id] = Kids(item.members, item.members, item.staged, told_ms=self.clock.ms)
        if item.staged:
            self.kin.chores[Chore.ABORT, item.id] = self.clock.ms + STAGING_MS
        if not item.members:
            self.kin.stir(item.id)

    def _link(self, retried: Record, by: str, now_us: int) -> None:
        """Tell an ended job which one does it again; the store must have that before the record may go."""
        self.retire.pop(retried.id, None)
        self._put(retried, transitions.retried(retried, by, now_us), "retry")
