"""What the steps do to the record of a group, and of a job that waits for others to end.

Pure, as `transitions`, whose table holds for these too.
"""

from __future__ import annotations

from dataclasses import replace

from hysds.core import transitions
from hysds.core.kin import Kids, is_sealed
from hysds.core.record import AFTER, GROUP, MEMBERS, STAGED, Record
from hysds.core.requests import FINISHED, Acceptance
from hysds.core.status import Status

DEPENDENCY = "dependency "
"""How the reason of a revocation begins whose cause is another job's end; that job's id follows."""


def waits(item: Acceptance, left: int, generation: int, now_us: int) -> Record:
    """Nothing to waiting for `left` other jobs, and after that for its time."""
    record = transitions.accepted(item, generation, now_us)
    return replace(
        record,
        status=Status.WAITING,
        reason=AFTER,
        ready_ms=0,
        after_left=left,
        after_finished=item.after_on == FINISHED,
    )


def group(item: Acceptance, left: int, generation: int, now_us: int) -> Record:
    """Nothing to a group that waits for its members; none of its own times counts, as nobody ever claims it."""
    return replace(
        transitions.born(item, "accept", Status.WAITING, generation, now_us),
        reason=STAGED if item.staged else AFTER if left else MEMBERS,
        after_left=left,
        after_finished=item.after_on == FINISHED,
        kids=Kids(item.members, item.members).text(),
    )


def forsaken_at_birth(item: Acceptance, dependency: str, generation: int, now_us: int) -> Record:
    """Nothing to revoked: a job that it comes after did not end as it must."""
    record = transitions.born(item, "accept", Status.REVOKED, generation, now_us)
    return replace(record, ended_ms=now_us // 1000, reason=DEPENDENCY + dependency)


def sealed(record: Record, now_us: int) -> Record:
    """All members of a group have been handed in."""
    return transitions.step(record, "seal", now_us, reason=AFTER if record.after_left else MEMBERS)


def freed(record: Record, now_us: int) -> Record:
    """The last of the jobs that it came after has ended: to ready, to its time, or (a group) to its members."""
    now_ms = now_us // 1000
    if record.kind == GROUP:
        reason = MEMBERS if is_sealed(record) else STAGED
        return transitions.step(record, "free", now_us, after_left=0, reason=reason)
    if record.wake_ms > now_ms:
        return transitions.step(record, "free", now_us, after_left=0, reason="time")
    return transitions.step(
        record, "free", now_us, status=Status.QUEUED, after_left=0, reason="", wake_ms=0, ready_ms=now_ms
    )


def forsaken(record: Record, dependency: str, now_us: int) -> Record:
    """A job that it came after did not end as it must."""
    return transitions.ended(
        replace(record, after_left=0), "free", Status.REVOKED, DEPENDENCY + dependency, now_us
    )


def cancelled(record: Record, now_us: int) -> Record:
    """A group whose members are being cancelled; it ends with the last of them."""
    return transitions.step(record, "cancel", now_us, cancel=True)


def aborted(record: Record, now_us: int) -> Record:
    """A group that was not sealed in time: none of its members ever was."""
    return transitions.ended(replace(record, after_left=0), "abort", Status.REVOKED, "aborted", now_us)


def told(record: Record, kids: Kids, now_us: int) -> Record:
    """A group's document shows its sums of now."""
    return transitions.step(record, "members", now_us, kids=kids.text())


def over(record: Record, kids: Kids, now_us: int) -> Record:
    """The end of a group whose members have all ended: completed where all of them did."""
    counted = replace(record, kids=kids.text())
    if kids.failed == kids.revoked == 0:
        return transitions.ended(counted, "members", Status.COMPLETED, "", now_us)
    if record.cancel:
        return transitions.ended(counted, "members", Status.REVOKED, "cancelled", now_us)
    return transitions.ended(counted, "members", Status.FAILED, MEMBERS, now_us)
