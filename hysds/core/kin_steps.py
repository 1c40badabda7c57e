"""Groups and dependencies: the steps that take a large group in, and what every step means to a job's kin.

A step looks after at most `kin.ROOM` jobs beyond those that it was asked for, and `settle` after the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hysds.core import kin_transitions, transitions
from hysds.core.admission import Admission
from hysds.core.floor import Made
from hysds.core.floor_requests import Notice
from hysds.core.kin import STAGING_MS, TELL_MS, Chore, is_sealed, is_unsealed, may_join
from hysds.core.record import GROUP, Record
from hysds.core.requests import Acceptance, Accepting, Moved, Staging
from hysds.core.status import Status


class KinSteps(Admission):
    """What concerns more jobs than one."""

    # ---- a group that is too large for one step --------------------------------------------------------------

    def stage(self, group: str, first: int, items: Sequence[Acceptance], now_us: int) -> Staging:
        """Keep members of an unsealed group, its `first` one on (from 0); a repeat is harmless."""
        self.tick(now_us)
        record = self.records.get(group)
        refusal = self._unstageable(record)
        if record is None or refusal is not None:
            return refusal or Staging.MISSING
        line = self.kin.staged.get(group, [])
        fresh = items[len(line) - first :]
        if first > len(line) or len(line) + len(fresh) > self.kin.kids[group].staged:
            return Staging.INCOMPLETE
        if self._is_another(line[first:], items):
            return Staging.CONFLICT
        if any(item.kind != GROUP and not self.places.has_room(item.queue, item.shape) for item in items):
            return Staging.FULL
        self.kin.staged[group] = [*line, *fresh]
        self.kin.chores[Chore.ABORT, group] = self.clock.ms + STAGING_MS
        return Staging.STAGED

    def seal(self, group: str, now_us: int) -> Staging:
        """All members of a group have been staged: from now on they will all stand in the ledger."""
        self.tick(now_us)
        record = self.records.get(group)
        refusal = self._unstageable(record)
        if record is None or refusal is not None:
            return refusal or Staging.MISSING
        if not self._is_complete(record):
            return Staging.INCOMPLETE
        new = kin_transitions.sealed(record, now_us)
        self.kin.chores.pop((Chore.ABORT, group), None)
        self._put(record, new, "seal")
        self._let_in(new)
        return Staging.SEALED

    def _is_another(self, staged: Sequence[Acceptance], items: Sequence[Acceptance]) -> bool:
        """Whether a repeat is none: something else was staged at one of these places."""
        pairs = zip(staged, items, strict=False)
        return any((known.id, known.digest) != (item.id, item.digest) for known, item in pairs)

    def _unstageable(self, record: Record | None) -> Staging | None:
        if record is None or record.kind != GROUP:
            return Staging.MISSING
        if record.status.is_terminal:
            return Staging.ENDED
        return None if is_unsealed(record) else Staging.SEALED

    def _is_complete(self, group: Record) -> bool:
        return len(self.kin.staged.get(group.id, [])) == self.kin.kids[group.id].staged

    def _let_in(self, group: Record) -> None:
        """The staged members of a sealed group enter, once it waits for no other job."""
        if group.after_left == 0 and group.id in self.kin.staged:
            self.kin.chores[Chore.ENTER, group.id] = self.clock.ms

    # ---- chores ----------------------------------------------------------------------------------------------

    def settle(self, limit: int, only: str, now_us: int) -> Moved:
        """Go on with what steps left in pieces; `only`: the entry of one group's staged members ("": all there is)."""
        self.tick(now_us)
        made: Made = Counter()
        answers: list[tuple[str, str]] = []
        for chore, id in self._due_chores(only)[:limit]:
            if len(answers) < limit:
                answers += self._do(chore, id, limit - len(answers), made)
        ready = self._announce(made)
        return Moved(tuple(answers), ready, bool(self._due_chores(only)))

    def _due_chores(self, only: str) -> list[tuple[Chore, str]]:
        due = self.kin.due(self.clock.ms)
        return [key for key in due if not only or key == (Chore.ENTER, only)]

    def _do(self, chore: Chore, id: str, most: int, made: Made) -> list[tuple[str, str]]:
        match chore:
            case Chore.ABORT:
                return self._abort(id)
            case Chore.CANCEL:
                return self._cancel_members(id, most)
            case Chore.ENTER:
                return self._enter_staged(id, most, made)
            case Chore.FREE:
                return self._free(id, most, made)
            case Chore.TELL:
                self.kin.chores.pop((chore, id), None)
                return self._tell(id)

    def _abort(self, id: str) -> list[tuple[str, str]]:
        record = self.records.get(id)
        self.kin.chores.pop((Chore.ABORT, id), None)
        if record is None or not is_unsealed(record):
            return []
        new = kin_transitions.aborted(self._emptied(record), self.now_us)
        self._put(record, new, "abort")
        return [(id, new.status.value)]

    def _emptied(self, group: Record) -> Record:
        """A group none of whose members has entered; none ever will."""
        self.kin.drop_staged(group.id)
        return replace(group, kids=self.kin.kids[group.id].text())

    def _enter_staged(self, id: str, most: int, made: Made) -> list[tuple[str, str]]:
        answers = []
        for item in self.kin.first_staged(id, most):
            if item.id in self.records:
                self._stands_already(item)
            elif may_join(self.records.get(item.parent), self.kin):
                answer = self._admit(item, self._needs(item), self.now_us)
                if answer.how is Accepting.ACCEPTED and answer.status == Status.QUEUED.value:
                    made[item.queue, item.shape] += 1
                answers.append((item.id, answer.status))
        if id not in self.kin.staged:
            self.kin.chores.pop((Chore.ENTER, id), None)
        return answers

    def _tell(self, id: str) -> list[tuple[str, str]]:
        """The group's document shows its sums of now."""
        record, kids = self.records.get(id), self.kin.kids.get(id)
        if record is None or kids is None or record.kids == kids.text():
            return []
        self.kin.kids[id] = replace(kids, told_ms=self.clock.ms)
        self._put(record, kin_transitions.told(record, kids, self.now_us), "members")
        return [(id, record.status.value)]

    # ---- cancel ----------------------------------------------------------------------------------------------

    def cancel(self, ids_: Sequence[str], now_us: int) -> Moved:
        """Unclaimed jobs are revoked; started ones marked, and their workers told; a group's members with it."""
        self.tick(now_us)
        answers = [(id, self._cancel(id, now_us)) for id in ids_]
        ready = self._announce(Counter())
        return Moved(tuple((id, self._answer_of_group(id, answer)) for id, answer in answers), ready)

    def _answer_of_group(self, id: str, answer: str) -> str:
        """It may have ended with the last of its members, in this very step."""
        return self.records[id].status.value if answer == Status.WAITING.value else answer

    def _cancel(self, id: str, now_us: int) -> str:
        record = self.records.get(id)
        if record is None:
            return "missing"
        if record.status.is_terminal:
            return "ended"
        if record.status is Status.STARTED:
            if not record.cancel:
                self._put(record, transitions.cancelled(record, now_us), "cancel")
            self.floor.tell_of(Notice.CANCEL, record)
            return Status.STARTED.value
        if record.kind == GROUP and self.kin.kids[id].entered:
            return self._cancel_group(record, now_us)
        if record.kind == GROUP:
            self._put(record, transitions.cancelled(self._emptied(record), now_us), "cancel")
        else:
            self._put(record, transitions.cancelled(record, now_us), "cancel")
        return Status.REVOKED.value

    def _cancel_group(self, group: Record, now_us: int) -> str:
        """It ends with its members: those that have not entered are gone, the others are cancelled."""
        if not group.cancel:
            self._put(group, kin_transitions.cancelled(group, now_us), "cancel")
            self.kin.drop_staged(group.id)
            self.kin.chores[Chore.CANCEL, group.id] = self.clock.ms
            self._cancel_members(group.id, max(self.kin.room, 0))
        return Status.WAITING.value

    def _cancel_members(self, id: str, most: int) -> list[tuple[str, str]]:
        members = self.kin.members.get(id, {})
        left = sorted(member for member, is_told in members.items() if not is_told)
        if len(left) <= most:
            self.kin.chores.pop((Chore.CANCEL, id), None)
        answers = []
        for member in left[:most]:
            members[member] = True
            self.kin.room -= 1
            answers.append((member, self._cancel(member, self.now_us)))
        return answers

    # ---- what every step means to others ---------------------------------------------------------------------

    def _follow(self, made: Made) -> None:
        """Free who waited for what ended, and look after the groups whose sums changed, until nothing stirs."""
        kin = self.kin
        while kin.ended or kin.stirred:
            if kin.ended:
                id = kin.ended.pop(0)
                kin.chores[Chore.FREE, id] = self.clock.ms
                kin.room -= len(self._free(id, max(kin.room, 0), made))
            else:
                self._look_after(kin.stirred.pop(0))

    def _free(self, id: str, most: int, made: Made) -> list[tuple[str, str]]:
        """Those who come after an ended job; one that is unknown by now was set aside, and completed nothing."""
        ended, waiting = self.records.get(id), sorted(self.kin.dependents.get(id, ()))
        for dependent in waiting[:most]:
            self._end_of_one(ended, id, dependent, made)
        self.kin.dependents[id] = set(waiting[most:])
        if not waiting[most:]:
            self.kin.dependents.pop(id, None)
            self.kin.chores.pop((Chore.FREE, id), None)
        done = ((dependent, self.records.get(dependent)) for dependent in waiting[:most])
        return [(dependent, record.status.value) for dependent, record in done if record is not None]

    def _end_of_one(self, ended: Record | None, id: str, dependent: str, made: Made) -> None:
        """One of the jobs that `dependent` comes after has ended."""
        record = self.records.get(dependent)
        if record is None or record.status is not Status.WAITING or not record.after_left:
            return
        if not self._satisfies(ended, record):
            old, record = record, self._emptied(record) if record.kind == GROUP else record
            self._put(old, kin_transitions.forsaken(record, id, self.now_us), "free")
        elif record.after_left > 1:
            self._put(record, replace(record, after_left=record.after_left - 1), "free")
        else:
            new = self._kept_back(kin_transitions.freed(record, self.now_us))
            self._put(record, new, "free")
            if new.kind == GROUP and is_sealed(new):
                self._let_in(new)
            elif new.status is Status.QUEUED:
                made[new.queue, new.shape] += 1

    def _satisfies(self, ended: Record | None, dependent: Record) -> bool:
        return dependent.after_finished or (ended is not None and ended.status is Status.COMPLETED)

    def _look_after(self, id: str) -> None:
        """A group ends with its last member; else its sums are told, at most once in TELL_MS."""
        record, kids = self.records.get(id), self.kin.kids.get(id)
        if record is None or kids is None or record.status.is_terminal:
            return
        if kids.is_over:
            self._put(record, kin_transitions.over(record, kids, self.now_us), "members")
        elif self._may_tell(kids.told_ms):
            self._tell(id)
            self.kin.chores.pop((Chore.TELL, id), None)
        else:
            self.kin.chores.setdefault((Chore.TELL, id), kids.told_ms + TELL_MS)

    def _may_tell(self, told_ms: int) -> bool:
        return self.clock.ms >= told_ms + TELL_MS
