"""When a command is asked to end and when it is killed, as values."""

from __future__ import annotations

from hysds.lib.process.guard.ladder import Ladder, Step
from hysds.lib.process.guard.wire import Reason


def test_without_limits_nothing_is_ever_due() -> None:
    """No step, no next time, no cause."""
    ladder = Ladder(100, None, None)

    assert (ladder.step(1e12), ladder.next_at, ladder.cause) == (Step.WAIT, None, None)


def test_a_soft_limit_asks_once_and_the_hard_one_kills() -> None:
    """The grace between them is what the two limits leave."""
    ladder = Ladder(100, 10, 15)

    assert (ladder.step(109.9), ladder.next_at) == (Step.WAIT, 110)
    assert (ladder.step(110), ladder.cause, ladder.next_at) == (Step.ASK, Reason.SOFT_LIMIT, 115)
    assert Step.WAIT is ladder.step(114.9)
    assert (ladder.step(115), ladder.cause) == (Step.KILL, Reason.HARD_LIMIT)


def test_a_hard_limit_alone_kills_without_asking() -> None:
    """There is no grace before it."""
    ladder = Ladder(100, None, 15)

    assert (ladder.step(100), ladder.next_at) == (Step.WAIT, 115)
    assert (ladder.step(115), ladder.cause) == (Step.KILL, Reason.HARD_LIMIT)


def test_both_limits_at_once_are_the_hard_one() -> None:
    """A machine that slept past both wakes to the harder."""
    ladder = Ladder(100, 10, 15)

    assert (ladder.step(500), ladder.cause) == (Step.KILL, Reason.HARD_LIMIT)


def test_a_stop_asks_and_kills_after_its_grace() -> None:
    """Its words become the message."""
    ladder = Ladder(100, None, None)
    ladder.stop(105, 20, "drain")

    assert (
        ladder.step(105),
        ladder.cause,
        ladder.message,
        ladder.next_at,
    ) == (Step.ASK, Reason.STOPPED, "drain", 125)
    assert (ladder.step(124.9), ladder.step(125)) == (Step.WAIT, Step.KILL)


def test_a_stop_without_grace_kills_without_asking() -> None:
    """A grace of zero is none."""
    ladder = Ladder(100, None, None)
    ladder.stop(105, 0, "now")

    assert Step.KILL is ladder.step(105)


def test_a_second_stop_shortens_the_grace_but_never_lengthens_it() -> None:
    """The first reason is kept."""
    ladder = Ladder(100, None, None)
    ladder.stop(105, 20, "drain")
    ladder.stop(106, 300, "longer")
    ladder.stop(107, 2, "shorter")

    assert (ladder.next_at, ladder.message) == (109, "drain")


def test_a_soft_limit_within_the_grace_of_a_stop_changes_nothing() -> None:
    """The stop came first."""
    ladder = Ladder(100, 10, 1000)
    ladder.stop(105, 20, "drain")
    steps = [ladder.step(at) for at in (105, 110, 124, 125)]

    assert steps == [Step.ASK, Step.WAIT, Step.WAIT, Step.KILL]
    assert ladder.cause is Reason.STOPPED


def test_a_hard_limit_within_the_grace_of_a_stop_kills_and_leaves_the_reason() -> None:
    """The command was told to end because of the stop."""
    ladder = Ladder(100, None, 10)
    ladder.stop(105, 20, "drain")

    assert (ladder.step(110), ladder.cause) == (Step.KILL, Reason.STOPPED)


def test_what_is_lost_is_killed_at_once() -> None:
    """Whoever has no right to run gets no grace, even in the middle of one."""
    ladder = Ladder(100, 5, 1000)
    asked = ladder.step(105)
    ladder.lose(106, Reason.SILENT, "silent")

    assert (asked, ladder.step(106), ladder.cause) == (Step.ASK, Step.KILL, Reason.SOFT_LIMIT)
