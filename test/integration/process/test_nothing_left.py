"""Whatever a command does, nothing of it is left when its end is reported."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from hysds.lib.process.ending import Reason
from hysds.lib.process.guardian import Guardian, GuardianGone
from integration.process.guarded import Pipe, Place, ended, has_died

DAEMON = """
import os, signal
for _ in range(2):
    if os.fork():
        os._exit(0)
    os.setsid()
os.write(1, b"up\\n")
signal.pause()
"""

CHILDREN = """
import os, signal
for _ in range(1000):
    if os.fork() == 0:
        signal.pause()
os.write(1, b"forked\\n")
signal.pause() if STAY else None
"""

CHAIN = """
import os
while True:
    if os.fork():
        os._exit(0)
"""


def test_a_daemon_is_gone_when_the_end_is_reported(place: Place, pipe: Pipe) -> None:
    """`setsid` twice and orphaned: still below the keeper."""
    child = place.start([sys.executable, "-c", DAEMON], out=pipe)
    ending = ended(child)

    assert ending.reason is Reason.EXITED
    assert pipe.rest() in (b"", b"up\n")


def test_a_daemon_that_outlives_its_command_is_counted(place: Place, pipe: Pipe) -> None:
    """The command ends when the daemon has said that it runs."""
    script = f"setsid sh -c 'echo up; exec sleep 1000' & while ! [ -s {place.folder}/up ]; do :; done"
    child = place.start(["sh", "-c", script.replace("echo up", f"echo up > {place.folder}/up")], out=pipe)
    ending = ended(child)

    assert (ending.reason, ending.exit_code, ending.leftovers) == (Reason.EXITED, 0, 1)
    assert pipe.rest() == b""


def test_a_thousand_children_are_gone_when_the_command_has_ended(place: Place, pipe: Pipe) -> None:
    """The command exits by itself and leaves them all."""
    ending = ended(place.start([sys.executable, "-c", f"STAY = False\n{CHILDREN}"], out=pipe))

    assert (ending.reason, ending.exit_code, ending.leftovers) == (Reason.EXITED, 0, 1000)
    assert pipe.rest() == b"forked\n"


def test_a_thousand_children_are_gone_when_the_command_is_stopped(place: Place, pipe: Pipe) -> None:
    """SIGTERM reaches every one of them."""
    child = place.start([sys.executable, "-c", f"STAY = True\n{CHILDREN}"], out=pipe)
    assert pipe.read_line() == b"forked"
    child.stop(50, "enough")
    ending = ended(child)

    assert (ending.reason, ending.signal, ending.leftovers) == (Reason.STOPPED, signal.SIGTERM, 0)
    assert pipe.rest() == b""


def test_a_process_that_forks_itself_away_is_caught(place: Place, pipe: Pipe) -> None:
    """Each fork ends its parent at once, so the pid is new at every look."""
    ending = ended(place.start([sys.executable, "-c", CHAIN], out=pipe))

    assert ending.reason is Reason.EXITED
    assert pipe.rest() == b""


def test_a_command_that_ignores_sigterm_is_killed_after_the_grace(place: Place, pipe: Pipe) -> None:
    """The message is the one given with the stop."""
    child = place.start(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1000; done"], out=pipe)
    assert pipe.read_line() == b"ready"
    child.stop(0.1, "cancelled by a test")
    ending = ended(child)

    assert (ending.reason, ending.signal) == (Reason.STOPPED, signal.SIGKILL)
    assert ending.message == "cancelled by a test"
    assert pipe.rest() == b""


def test_a_command_that_cleans_up_is_given_its_grace(place: Place, pipe: Pipe) -> None:
    """Its own exit code counts, though it was stopped."""
    child = place.start(
        ["sh", "-c", "trap 'echo clean; exit 5' TERM; echo ready; while :; do :; done"], out=pipe
    )
    assert pipe.read_line() == b"ready"
    child.stop(50, "drain")
    ending = ended(child)

    assert (ending.reason, ending.exit_code, ending.signal) == (Reason.STOPPED, 5, None)
    assert pipe.rest() == b"clean\n"


def test_the_grace_is_also_that_of_the_children(place: Place, pipe: Pipe) -> None:
    """The shell ends at SIGTERM; its child still writes what it has to write."""
    worker = "trap 'read line < fifo; echo $line; exit' TERM; echo ready; while :; do :; done"
    os.mkfifo(place.folder / "fifo")
    child = place.start(["sh", "-c", f'sh -c "{worker.replace("$", chr(92) + "$")}" & wait'], out=pipe)
    assert pipe.read_line() == b"ready"
    child.stop(50, "drain")
    assert has_died(child.pid or 0)
    (place.folder / "fifo").write_text("saved\n")
    ended(child)

    assert pipe.rest() == b"saved\n"


def test_a_stopped_process_is_woken_to_act_on_sigterm(place: Place, pipe: Pipe) -> None:
    """SIGSTOP is no way around the grace."""
    child = place.start(["sh", "-c", "trap 'echo clean; exit 5' TERM; echo ready; kill -STOP $$"], out=pipe)
    assert pipe.read_line() == b"ready"
    child.stop(50, "drain")

    assert ended(child).exit_code == 5


def test_a_second_stop_can_shorten_the_grace(place: Place, pipe: Pipe) -> None:
    """The first reason stays."""
    child = place.start(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1000; done"], out=pipe)
    assert pipe.read_line() == b"ready"
    child.stop(10_000, "drain")
    child.stop(0, "now")
    ending = ended(child)

    assert (ending.reason, ending.message) == (Reason.STOPPED, "drain")


def test_closing_the_child_kills_it(place: Place, pipe: Pipe) -> None:
    """A worker that lets go of a command has it ended."""
    child = place.start(["sh", "-c", "trap '' TERM; setsid sleep 1000 & echo ready; wait"], out=pipe)
    assert pipe.read_line() == b"ready"
    child.close()

    assert pipe.rest() == b""
    assert ended(child).reason is Reason.WORKER_GONE


def test_a_command_that_kills_its_keeper_leaves_nothing(place: Place, pipe: Pipe) -> None:
    """The guardian finds what is left, kills it and reports in the keeper's place."""
    script = (
        "setsid sh -c 'trap \"\" TERM; while :; do sleep 1000; done' & kill -KILL $PPID; while :; do :; done"
    )
    ending = ended(place.start(["sh", "-c", script], out=pipe))

    assert (
        ending.reason,
        ending.exit_code,
        ending.signal,
        ending.all_gone,
    ) == (Reason.KEEPER_KILLED, None, None, True)
    assert ending.leftovers >= 2
    assert pipe.rest() == b""


def test_a_command_that_stops_its_keeper_is_ended(place: Place, pipe: Pipe) -> None:
    """A keeper that is stopped could keep no limit: the guardian kills it, and what it kept."""
    ending = ended(place.start(["sh", "-c", "kill -STOP $PPID; while :; do sleep 1000; done"], out=pipe))

    assert ending.reason is Reason.KEEPER_KILLED
    assert pipe.rest() == b""


def test_a_stopped_child_of_a_command_is_its_own_affair(place: Place, pipe: Pipe) -> None:
    """Neither stopping nor orphaning a stopped process disturbs the keeper."""
    script = "sh -c 'sh -c \"kill -STOP \\$\\$\" & true' ; exit 4"
    ending = ended(place.start(["sh", "-c", script], out=pipe))

    assert (ending.reason, ending.exit_code) == (Reason.EXITED, 4)
    assert pipe.rest() == b""


def test_other_commands_outlive_a_killed_keeper(place: Place, pipe: Pipe) -> None:
    """One command's misdeed is not another's end."""
    os.mkfifo(place.folder / "fifo")
    other = place.start(["sh", "-c", "echo ready; cat fifo"], out=pipe)
    assert pipe.read_line() == b"ready"
    place.run(["sh", "-c", "kill -KILL $PPID; while :; do :; done"])
    assert other.wait(0) is None
    other.stop(50, "done")

    assert ended(other).reason is Reason.STOPPED


def test_signals_to_keeper_and_guardian_are_ignored(place: Place, pipe: Pipe) -> None:
    """Only SIGKILL ends them: not a terminal's end, not a manager that signals the whole group."""
    child = place.start(
        ["sh", "-c", "for s in HUP INT QUIT TERM USR1; do kill -$s $PPID; done; echo sent"], out=pipe
    )
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        os.kill(place.guardian.pid, number)

    assert (ended(child).reason, ended(child).exit_code) == (Reason.EXITED, 0)
    assert place.run(["true"]).exit_code == 0


def test_the_guardian_leads_a_session_of_its_own(place: Place) -> None:
    """No terminal of the worker's can end it."""
    assert os.getsid(place.guardian.pid) == place.guardian.pid


def test_a_killed_guardian_ends_its_commands_and_says_so(place: Place, pipe: Pipe) -> None:
    """The keepers notice; a waiter is told, a new command is refused, a new guardian can be started."""
    child = place.start(["sh", "-c", "trap '' TERM; setsid sleep 1000 & echo ready; wait"], out=pipe)
    assert pipe.read_line() == b"ready"
    os.kill(place.guardian.pid, signal.SIGKILL)
    ending = ended(child)
    assert has_died(place.guardian.pid)

    assert (ending.reason, ending.all_gone) == (Reason.GUARDIAN_GONE, True)
    assert pipe.rest() == b""
    with pytest.raises(GuardianGone):
        place.start(["true"])
    assert not place.guardian.is_alive()
    successor = Guardian.start()
    assert ended(Place(successor, place.folder).start(["true"])).exit_code == 0
    successor.close()


def test_a_command_that_kills_guardian_and_keeper_is_not_said_to_be_gone(place: Place, pipe: Pipe) -> None:
    """Nobody is left who could know: the ending says that."""
    script = "cat go; kill -STOP $1; kill -STOP $PPID; kill -KILL $1 $PPID; echo done; cat fifo"
    os.mkfifo(place.folder / "go")
    os.mkfifo(place.folder / "fifo")
    child = place.start(["sh", "-c", script, "sh", str(place.guardian.pid)], out=pipe)
    (place.folder / "go").write_text("")
    ending = ended(child)
    assert pipe.read_line() == b"done"
    (place.folder / "fifo").write_text("")

    assert (ending.reason, ending.all_gone) == (Reason.GUARDIAN_GONE, False)
    assert pipe.read_to_end() == b""


def test_a_closed_guardian_ends_its_commands_and_is_gone(place: Place, pipe: Pipe) -> None:
    """What still runs is killed; the guardian has exited when `close` returns."""
    child = place.start(["sh", "-c", "trap '' TERM; setsid sleep 1000 & echo ready; wait"], out=pipe)
    assert pipe.read_line() == b"ready"
    place.guardian.close()

    assert pipe.rest() == b""
    assert ended(child).reason is Reason.WORKER_GONE
    with pytest.raises(GuardianGone):
        place.start(["true"])
