"""Keepers keep one command after another, and nothing of one shows in the next."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from hysds.lib.process.command import Limits
from hysds.lib.process.ending import Reason
from hysds.lib.process.guard import tree
from integration.process.guarded import PATIENCE_S, Pipe, Place, ended, has_died

MIB = 1024 * 1024


def until(is_so: Callable[[], bool]) -> None:
    """Wait for what must come."""
    until_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until_s
        time.sleep(0.01)


def keeper_of_next(place: Place) -> int:
    """The keeper of a command that has ended by now."""
    place.stdout.unlink(missing_ok=True)
    assert place.run(["sh", "-c", "echo $PPID"]).exit_code == 0
    return int(place.stdout.read_text())


def rested(place: Place) -> int:
    """A keeper that has kept one command and was free for another."""
    kept: list[int] = []
    while len(set(kept)) == len(kept):
        kept.append(keeper_of_next(place))
        assert len(kept) < 1000
    return kept[-1]


def test_a_keeper_keeps_one_command_after_another(place: Place) -> None:
    """To fork one for each would cost more than a short command itself."""
    keeper = rested(place)

    assert tree.children(keeper) == []


def test_a_keeper_is_replaced_after_many_commands(place: Place) -> None:
    """Whatever piles up in a process stays small."""
    first = rested(place)

    until(lambda: keeper_of_next(place) != first)


def test_commands_at_the_same_time_have_keepers_of_their_own(place: Place, pipe: Pipe) -> None:
    """One that rests takes the first, the others are forked."""
    rested(place)
    children = [place.start(["sh", "-c", "echo $PPID; exec sleep 1000"], out=pipe) for _ in range(4)]
    keepers = {pipe.read_line() for _ in children}
    for child in children:
        child.stop(0, "enough")

    assert len(keepers) == 4
    assert {ended(child).reason for child in children} == {Reason.STOPPED}


def test_what_an_earlier_command_used_is_not_the_next_ones(place: Place) -> None:
    """Neither its time nor its memory, where the same keeper kept both."""
    hungry = "import time\nkept = b'x' * (256 << 20)\nwhile time.process_time() < 0.3: pass"
    rested(place)
    large = place.run(["/usr/bin/env", "python3", "-c", hungry])
    small = place.run(["true"])

    assert large.usage.max_rss_bytes > 256 * MIB
    assert large.usage.cpu_user_s + large.usage.cpu_system_s >= 0.3
    assert small.usage.max_rss_bytes < 128 * MIB
    assert small.usage.cpu_user_s + small.usage.cpu_system_s < 0.3


def test_limits_of_a_command_are_not_the_next_ones(place: Place) -> None:
    """Nor the reason of its end."""
    rested(place)
    first = place.run(["sleep", "1000"], Limits(hard_s=0.1))
    second = place.run(["sh", "-c", "sleep 0.2; exit 3"])

    assert first.reason is Reason.HARD_LIMIT
    assert (second.reason, second.exit_code, second.message) == (Reason.EXITED, 3, "")


def test_a_command_that_left_something_or_did_not_start_is_followed_by_one_that_runs(place: Place) -> None:
    """Whatever keeper the next one has, a fresh one or the same."""
    rested(place)
    left = place.run(["sh", "-c", "setsid sleep 1000 & exit 0"])
    absent = place.run(["there-is-no-such-program"])
    good = place.run(["true"])

    assert (left.leftovers, absent.reason, good.exit_code) == (1, Reason.COULD_NOT_START, 0)


def test_keepers_that_nobody_needs_leave(place: Place) -> None:
    """An idle worker has its guardian and no other process."""
    rested(place)

    until(lambda: tree.children(place.guardian.pid) == [])
    assert place.run(["true"]).exit_code == 0


def test_a_keeper_that_is_killed_while_it_rests_takes_nothing_with_it(place: Place) -> None:
    """Its guardian forks another."""
    keeper = rested(place)
    tree.tell(keeper, signal.SIGKILL)
    until(lambda: keeper not in tree.children(place.guardian.pid))

    assert place.run(["sh", "-c", "exit 4"]).exit_code == 4


def test_a_keeper_that_is_stopped_while_it_rests_keeps_nothing(place: Place) -> None:
    """It is killed, as every keeper that is stopped."""
    keeper = rested(place)
    tree.tell(keeper, signal.SIGSTOP)
    until(lambda: keeper not in tree.children(place.guardian.pid))

    assert place.run(["sh", "-c", "exit 5"]).exit_code == 5


def test_keepers_that_rest_go_with_their_guardian(place: Place) -> None:
    """Also where it is killed."""
    keeper = rested(place)
    os.kill(place.guardian.pid, signal.SIGKILL)

    assert has_died(keeper)
