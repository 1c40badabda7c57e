"""What `doctor` says of alarms that stand."""

from __future__ import annotations

from hysds.core.alarms import Alarm
from hysds.doctor import alarms
from hysds.ports.findings import Severity


def alarm(number: int, over_ms: int = 0) -> Alarm:
    return Alarm(
        f"k{number:03}",
        "queue-stuck",
        f"queue {number}",
        "is stuck",
        number,
        0,
        "add workers",
        over_ms=over_ms,
    )


def test_alarms_that_stand_are_warnings_with_what_to_do() -> None:
    """The oldest first, with how long; one that is over is none."""
    found = list(alarms.check([alarm(60_000), alarm(1_000), alarm(5, over_ms=7)], 121_000))

    assert [(one.severity, one.code, one.where) for one in found] == [
        (Severity.WARNING, "alarms.queue-stuck", "queue 1000"),
        (Severity.WARNING, "alarms.queue-stuck", "queue 60000"),
    ]
    assert (found[0].what, found[0].mend) == ("is stuck (seen for 2m)", "add workers")


def test_without_alarms_all_is_well() -> None:
    """Said as such."""
    assert [one.severity for one in alarms.check([], 5)] == [Severity.OK]


def test_of_many_the_first_are_shown() -> None:
    """And how many more there are."""
    found = list(alarms.check([alarm(number) for number in range(25)], 5))

    assert (len(found), found[-1].what) == (21, "5 more alarms: hysds alarms")
