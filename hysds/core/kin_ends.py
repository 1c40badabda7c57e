"""Why a job ended that ended for others: a group for its members, a job for one that it came after."""

from __future__ import annotations

from hysds.core.kin import Class, sums
from hysds.core.kin_transitions import DEPENDENCY
from hysds.core.record import GROUP, MEMBERS, Record
from hysds.core.status import Status

ABORTED = "aborted"
CLASSES = ("dependency", MEMBERS, ABORTED)
"""What stands in place of a failure class for such an end."""
_ABORTED = "not all of its members were handed in within minutes, so none of them was taken"
_CLASS_OF_DEPENDENCY = DEPENDENCY.strip()


def dependency(record: Record) -> str:
    """The job whose end revoked this one; "" for none."""
    is_forsaken = record.status is Status.REVOKED and record.reason.startswith(DEPENDENCY)
    return record.reason.removeprefix(DEPENDENCY) if is_forsaken else ""


def failure_class(record: Record) -> str:
    """`dependency`, `aborted` or `members`; "" for a job that ended for a reason of its own."""
    if dependency(record):
        return _CLASS_OF_DEPENDENCY
    if record.kind == GROUP and record.reason in (ABORTED, MEMBERS):
        return record.reason
    return ""


def error(record: Record) -> str:
    """What happened, in a sentence; "" for a job that ended for a reason of its own."""
    if failed := dependency(record):
        return f"job {failed}, which it was to come after, did not complete"
    match failure_class(record):
        case "aborted":
            return _ABORTED
        case "members":
            counts = sums(record.kids)
            said = [f"{counts[each]} {each.value}" for each in (Class.FAILED, Class.REVOKED) if counts[each]]
            return f"{' and '.join(said)} of its {counts['total']} members"
    return ""


def hint(record: Record) -> str:
    """What to do about it."""
    if failed := dependency(record):
        return f"see why: hysds explain {failed}; once that is mended, retry it and then this job"
    match failure_class(record):
        case "aborted":
            return "submit it again, under a new id"
        case "members":
            return (
                f"see which: hysds jobs --parent {record.id} --status failed --status revoked; "
                f"do them again: hysds retry --parent {record.id}"
            )
    return ""
