"""Schedules come true here: each tick becomes one job, whoever dies, and however many processes look.

The duty of a reconciler (`fire_due`), and what an operator does to schedules.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from hysds.core import schedule as rules
from hysds.core.errors import Complaint, Conflict, HysdsError, InvalidSpec, NotFound, Refused, Unreachable
from hysds.core.ids import JobId
from hysds.core.schedule import CatchUp, Firing, Schedule
from hysds.core.spec import JobSpec, Tick, from_stored, stored
from hysds.orchestrator.submit import Orchestrator, Submission
from hysds.ports.schedules import Schedules

_AT_ONCE = 100
"""So many schedules are looked at in one round."""
_ROUNDS_BETWEEN_LOOKS = 60
_ONE_HASH = (
    "the job of each time would be a duplicate of the first one's; leave it out, or say enable_dedup: false"
)
_log = logging.getLogger(__name__)


class Timetable:
    """All schedules of a system. `new_id` makes ids of version 7; `now_ms` is the ledger server's wall clock."""

    def __init__(
        self,
        schedules: Schedules,
        orchestrator: Orchestrator,
        new_id: Callable[[], str],
        now_ms: Callable[[], int],
    ) -> None:
        self._schedules = schedules
        self._orchestrator = orchestrator
        self._new_id = new_id
        self._now_ms = now_ms
        self._rounds = 0

    # ---- a reconciler's --------------------------------------------------------------------------------------------

    def fire_due(self) -> int:
        """Fire what is due: one tick of each schedule; answers how many became jobs, or were refused.

        Raises: Unreachable. Its tick is fired in a later round, as that of a schedule which could not be fired for a
        reason of its own is: that keeps no other from being fired.
        """
        now_ms, due = self._schedules.due(_AT_ONCE)
        self._rounds += 1
        if self._rounds % _ROUNDS_BETWEEN_LOOKS == 1:
            self._recall(now_ms)
        return sum(self._fired(schedule, now_ms) for schedule in due)

    def _fired(self, schedule: Schedule, now_ms: int) -> bool:
        try:
            return self._fire(schedule, now_ms)
        except Unreachable:
            raise
        except HysdsError as error:
            _log.error("schedule %s: it could not be fired: %s", schedule.name, error)
            return False

    def _recall(self, now_ms: int) -> None:
        """Schedules whose next tick stands in a future that the clock was in, and came back from."""
        for schedule in self._schedules.all():
            try:
                recalled = rules.recalled(schedule, now_ms)
            except InvalidSpec as error:
                _log.error("schedule %s: its times can't be told here: %s", schedule.name, error)
                continue
            if recalled != schedule and self._schedules.put(recalled, schedule.revision):
                _log.warning(
                    "schedule %s: the clock was set back; its next tick is brought back", schedule.name
                )

    def _fire(self, schedule: Schedule, now_ms: int) -> bool:
        planned = schedule
        if schedule.pending is None:
            planned = rules.planned(schedule, now_ms, self._new_id())
            if planned == schedule or not self._schedules.put(planned, schedule.revision):
                return False
            if planned.pending is None:
                _log.warning("schedule %s: its ticks until now were missed, and are skipped", schedule.name)
                return False
        assert planned.pending is not None
        error = self._submit_tick(planned, planned.pending)
        done = rules.refused(planned, error) if error else rules.fired(planned)
        # Where another was faster, or the schedule was changed meanwhile, that one clears the note.
        self._schedules.put(done, planned.revision)
        return True

    def _submit_tick(self, schedule: Schedule, firing: Firing) -> str:
        """Why the job was refused; "" where it was taken, now or before."""
        spec = _ticked(schedule.name, firing.spec or schedule.spec, firing.tick_ms)
        extra = {"action": "schedule", "schedule": schedule.name, "job": firing.job_id}
        try:
            found = self._orchestrator.submit([spec], [JobId(firing.job_id)])[0]
        except InvalidSpec as refusal:
            self._orchestrator.reject(JobId(firing.job_id), stored(spec), refusal)
            _log.error("schedule %s: its job is refused: %s", schedule.name, refusal, extra=extra)
            return str(refusal)
        if found.refused is not None:
            _log.error("schedule %s: its job is refused: %s", schedule.name, found.refused, extra=extra)
            return str(found.refused)
        _log.info("schedule %s: job %s", schedule.name, firing.job_id, extra=extra)
        return ""

    # ---- an operator's ---------------------------------------------------------------------------------------------

    def add(
        self, name: str, times: tuple[str, str], spec: JobSpec, catch_up: CatchUp, over: bool = False
    ) -> Schedule:
        """A new schedule; `times` are its cron expression and time zone. `over`: also in place of one with its name.

        Raises: InvalidSpec, also for what the spec's type or a policy does not allow now; Conflict where there is one
        of that name.
        """
        new = rules.made(name, times, stored(spec), catch_up, self._now_ms())
        if spec.payload_hash and spec.enable_dedup:
            raise InvalidSpec((Complaint("$.payload_hash", _ONE_HASH),))
        self._orchestrator.check(spec)
        old = self._find(name)
        if old is not None and not over:
            raise Conflict(f"there is a schedule {name} already: remove it, or replace it (--replace)")
        if old is None and name in self._schedules.unreadable():
            raise Conflict(
                f"there is a schedule {name} that can't be read here: `hysds schedule remove {name}` first"
            )
        kept = new if old is None else rules.replaced(old, new)
        if not self._schedules.put(kept, None if old is None else old.revision):
            raise _changed(name)
        return kept

    def all(self) -> tuple[Schedule, ...]:
        """Every schedule, by name."""
        return self._schedules.all()

    def unreadable(self) -> tuple[str, ...]:
        """Names of schedules that another program or a later HySDS wrote: no tick of them is fired here."""
        return self._schedules.unreadable()

    def get(self, name: str) -> Schedule:
        """Raises: NotFound; Refused where it can't be read here."""
        found = self._find(name)
        if found is None and name in self._schedules.unreadable():
            raise Refused(
                f"schedule {name} can't be read here: a later HySDS wrote it, or another program; use that one, or "
                f"`hysds schedule remove {name}`"
            )
        if found is None:
            raise NotFound(f"there is no schedule {name}; see `hysds schedule list`")
        return found

    def pause(self, name: str) -> Schedule:
        """Fire no more of its ticks.

        Raises: NotFound
        """
        return self._change(name, rules.paused)

    def resume(self, name: str) -> Schedule:
        """Fire its ticks again; those of the pause are nobody's.

        Raises: NotFound
        """
        now_ms = self._now_ms()
        return self._change(name, lambda schedule: rules.resumed(schedule, now_ms))

    def remove(self, name: str) -> None:
        """Forget it, also one that can't be read here. A tick that is being fired meanwhile may still become a job.

        Raises: NotFound
        """
        if not self._schedules.drop(name):
            self.get(name)

    def run_now(self, name: str) -> Submission:
        """Submit its job at once, paused or not; its ticks stay as they are.

        Raises: NotFound; InvalidSpec; Refused
        """
        schedule = self.get(name)
        found = self._orchestrator.submit([_ticked(name, schedule.spec, self._now_ms())])[0]
        if found.refused is not None:
            raise found.refused
        return found

    def _change(self, name: str, change: Callable[[Schedule], Schedule]) -> Schedule:
        while True:
            old = self.get(name)
            new = change(old)
            if self._schedules.put(new, old.revision):
                return new

    def _find(self, name: str) -> Schedule | None:
        return next((one for one in self._schedules.all() if one.name == name), None)


def _ticked(name: str, spec: str, tick_ms: int) -> JobSpec:
    return replace(from_stored(spec), tick=Tick(name, tick_ms / 1000))


def _changed(name: str) -> HysdsError:
    return Conflict(f"schedule {name} was changed by somebody else in this moment: look at it, and try again")
