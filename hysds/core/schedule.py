"""Schedules: a job spec that is submitted again and again, at the times of a cron expression.

A firing has two steps, so that each tick gives one job whoever dies: first the schedule itself notes which job the tick
will be (`planned`, kept by compare-and-set), then that job is submitted under its id, which may be repeated by anybody;
then the note goes (`fired`, `refused`).
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from hysds.core import cron
from hysds.core.errors import Complaint, InvalidSpec

LATE_MS = 60_000
"""A tick that could not be fired for longer was missed."""
SWING_MS = 3_600_000
"""A clock that is set back by more was wrong before."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class CatchUp(StrEnum):
    """What becomes of ticks that nobody fired in time."""

    LATEST = "latest"
    """The latest of them is fired, once."""
    SKIP = "skip"
    """None is."""
    ALL = "all"
    """Each is, in order."""


@dataclass(frozen=True, slots=True)
class Firing:
    """A tick (ms since 1970) and the job that it is."""

    tick_ms: int
    job_id: str
    spec: str = ""
    """What it is fired with, where the schedule was replaced meanwhile; "": the schedule's."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """One schedule as it is kept. Times are ms since 1970."""

    name: str
    cron: str
    tz: str
    spec: str
    """The job spec as the ledger keeps specs."""
    made_ms: int
    next_ms: int
    """The next tick."""
    catch_up: CatchUp = CatchUp.LATEST
    paused: bool = False
    pending: Firing | None = None
    """The tick that is being fired."""
    last: Firing | None = None
    """The latest that was."""
    error: str = ""
    """Why the job of the latest tick was refused; "" where it was taken."""
    fired: int = 0
    """Ticks so far."""
    revision: int = 0
    """Grows with each change."""

    @property
    def due_ms(self) -> int | None:
        """When somebody must look at it; None: not before it is changed."""
        if self.pending is not None:
            return self.pending.tick_ms
        return None if self.paused else self.next_ms


def made(name: str, times: tuple[str, str], spec: str, catch_up: CatchUp, now_ms: int) -> Schedule:
    """A new schedule; `times` are the cron expression and its zone.

    Raises: InvalidSpec
    """
    if not _NAME.fullmatch(name):
        raise InvalidSpec(
            (Complaint("name", "letters, digits and . _ - only, the first a letter or digit, 128 at most"),)
        )
    return Schedule(name, *times, spec, now_ms, cron.cron(*times).after(now_ms), catch_up)


def planned(schedule: Schedule, now_ms: int, job_id: str) -> Schedule:
    """The schedule with the tick that is to be fired now, if any, noted under this job's id; and with its next."""
    times = cron.cron(schedule.cron, schedule.tz)
    if schedule.paused or schedule.next_ms > now_ms:
        return schedule
    tick_ms = (
        schedule.next_ms if schedule.catch_up is CatchUp.ALL else max(times.until(now_ms), schedule.next_ms)
    )
    if schedule.catch_up is CatchUp.SKIP and tick_ms < now_ms - LATE_MS:
        return _stepped(schedule, next_ms=times.after(now_ms))
    return _stepped(schedule, pending=Firing(tick_ms, job_id), next_ms=times.after(tick_ms))


def recalled(schedule: Schedule, now_ms: int) -> Schedule:
    """The schedule with its next tick where it belongs, if that stands further ahead: the clock was set back.

    Not where it was set back by less than SWING_MS: no tick that was fired comes again.
    """
    last_ms = schedule.last.tick_ms if schedule.last is not None else 0
    from_ms = max(now_ms, last_ms if last_ms <= now_ms + SWING_MS else 0)
    next_ms = cron.cron(schedule.cron, schedule.tz).after(from_ms)
    if schedule.pending is not None or schedule.next_ms <= next_ms:
        return schedule
    return _stepped(schedule, next_ms=next_ms)


def fired(schedule: Schedule) -> Schedule:
    """Its pending tick is a job now."""
    last = schedule.pending and replace(schedule.pending, spec="")
    return _stepped(schedule, pending=None, last=last, error="", fired=schedule.fired + 1)


def refused(schedule: Schedule, error: str) -> Schedule:
    """Its pending tick could not be a job."""
    return replace(fired(schedule), error=error[:1000])


def paused(schedule: Schedule) -> Schedule:
    """No tick of it is fired any more; one that is pending still is."""
    return _stepped(schedule, paused=True)


def resumed(schedule: Schedule, now_ms: int) -> Schedule:
    """Its ticks are fired again; those of the pause were nobody's."""
    return _stepped(schedule, paused=False, next_ms=cron.cron(schedule.cron, schedule.tz).after(now_ms))


def replaced(old: Schedule, new: Schedule) -> Schedule:
    """Another expression or spec under the old one's name.

    A tick that is pending is fired with the old spec: it may be a job already, and another spec under its id would be
    refused.
    """
    pending = old.pending and replace(old.pending, spec=old.pending.spec or old.spec)
    return replace(
        new, pending=pending, last=old.last, fired=old.fired, paused=old.paused, revision=old.revision + 1
    )


def stored(schedule: Schedule) -> str:
    """As JSON."""
    return json.dumps(asdict(schedule), separators=(",", ":"))


def from_stored(text: str) -> Schedule:
    """What `stored` wrote."""
    values = json.loads(text)
    for name in ("pending", "last"):
        values[name] = None if values[name] is None else Firing(**values[name])
    return Schedule(**values | {"catch_up": CatchUp(values["catch_up"])})


def _stepped(schedule: Schedule, **changes: object) -> Schedule:
    return replace(schedule, **changes, revision=schedule.revision + 1)  # type: ignore[arg-type]
