"""How commands end, and what they are given to begin with."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest

from hysds.lib.process.command import Command, Limits
from hysds.lib.process.ending import Reason
from integration.process.guarded import Pipe, Place, ended


@pytest.mark.parametrize("code", [0, 1, 7, 255])
def test_an_exit_code_is_reported_as_it_was(place: Place, code: int) -> None:
    """The command's exit code, and no signal."""
    ending = place.run(["sh", "-c", f"exit {code}"])

    assert (Reason.EXITED, code, None) == (ending.reason, ending.exit_code, ending.signal)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_an_end_by_signal_is_reported_as_a_signal(place: Place, number: signal.Signals) -> None:
    """A command that a signal ends has no exit code."""
    ending = place.run(["sh", "-c", f"kill -{int(number)} $$"])

    assert (Reason.SIGNALLED, None, number) == (ending.reason, ending.exit_code, ending.signal)


@pytest.mark.parametrize("program", ["no-such-program", "/no/such/program", "./absent"])
def test_a_missing_program_could_not_start(place: Place, program: str) -> None:
    """There is no pid, and the ending names the program and the system's error."""
    child = place.start([program])
    ending = ended(child)

    assert child.pid is None
    assert (ending.reason, ending.errno) == (Reason.COULD_NOT_START, errno.ENOENT)
    assert program in ending.message


def test_a_file_that_is_not_executable_could_not_start(place: Place) -> None:
    """Permission denied, with the file's path."""
    (place.folder / "plain").write_text("#!/bin/sh\n")
    ending = place.run(["./plain"])

    assert (ending.reason, ending.errno) == (Reason.COULD_NOT_START, errno.EACCES)
    assert "./plain" in ending.message


def test_a_script_without_an_interpreter_could_not_start(place: Place) -> None:
    """The system can't execute it, and nothing guesses a shell."""
    (place.folder / "script").write_text("echo hello\n")
    (place.folder / "script").chmod(0o755)
    ending = place.run(["./script"])

    assert (ending.reason, ending.errno) == (Reason.COULD_NOT_START, errno.ENOEXEC)


def test_a_missing_directory_could_not_start(place: Place) -> None:
    """The ending names the directory, not the program."""
    folder = place.folder / "absent"
    child = place.guardian.spawn(Command(["true"], folder, place.stdout, place.stderr))
    ending = ended(child)

    assert (ending.reason, ending.errno) == (Reason.COULD_NOT_START, errno.ENOENT)
    assert str(folder) in ending.message


def test_a_program_is_looked_up_in_the_path_of_the_command(place: Place) -> None:
    """The worker's own PATH does not matter."""
    (place.folder / "bin").mkdir()
    program = place.folder / "bin" / "only-here"
    program.write_text("#!/bin/sh\nexit 9\n")
    program.chmod(0o755)
    ending = place.run(["only-here"], env={"PATH": f"/no/such:{place.folder}/bin:/bin"})

    assert ending.exit_code == 9


def test_standard_input_is_empty(place: Place) -> None:
    """A command that reads gets the end of file at once."""
    ending = place.run(["sh", "-c", "cat > got; exit $(wc -c < got)"])

    assert (ending.reason, ending.exit_code) == (Reason.EXITED, 0)


def test_only_the_declared_environment_is_there(place: Place) -> None:
    """Nothing of the worker's or the guardian's environment reaches a command."""
    place.run(["/usr/bin/env"], env={"PATH": "/bin", "NAME": "ä value"})

    assert place.stdout.read_text().splitlines() == ["PATH=/bin", "NAME=ä value"]


def test_no_descriptor_but_the_three_is_inherited(place: Place) -> None:
    """Sockets, memory files and other commands' outputs stay closed."""
    other = place.start(["sleep", "100"])
    place.run(["sh", "-c", "ls /proc/$$/fd"])
    other.close()

    assert {"0", "1", "2"} == set(place.stdout.read_text().split())


def test_every_signal_has_its_default_action_and_none_is_blocked(place: Place) -> None:
    """The guardian is deaf to nearly all; its commands are not."""
    place.run(["cat", "/proc/self/status"])
    masks = [
        line.split()[1] for line in place.stdout.read_text().splitlines() if line[:6] in ("SigBlk", "SigIgn")
    ]
    ours = sum(1 << (number - 1) for number in signal.valid_signals())

    assert [int(mask, 16) & ours for mask in masks] == [0, 0]


def test_output_of_any_bytes_is_kept_untouched(place: Place) -> None:
    """What is not UTF-8 is no trouble; the two streams stay apart."""
    place.run(["sh", "-c", r"printf '\377\000\200x'; printf '\376' >&2"])

    assert (place.stdout.read_bytes(), place.stderr.read_bytes()) == (b"\xff\x00\x80x", b"\xfe")


def test_arguments_reach_the_command_as_they_are(place: Place) -> None:
    """Spaces, quotes, emoji, undecodable bytes and the empty argument."""
    given = ["a b", "'\"$(x)", "🚀", os.fsdecode(b"\xff"), ""]
    place.run(["printf", "%s\\n", *given])

    assert [os.fsencode(text) for text in given] == place.stdout.read_bytes().split(b"\n")[:-1]


def test_an_environment_larger_than_a_socket_message_is_no_trouble(place: Place) -> None:
    """A megabyte of variables arrives."""
    env = {f"V{number}": "x" * 100_000 for number in range(10)}
    place.run(["sh", "-c", 'echo "${#V0} ${#V9}"'], env=env)

    assert place.stdout.read_text() == "100000 100000\n"


def test_an_environment_larger_than_the_system_takes_could_not_start(place: Place) -> None:
    """The system's limit on one argument is an ending, not a hang."""
    ending = place.run(["true", "x" * 1_000_000])

    assert (ending.reason, ending.errno) == (Reason.COULD_NOT_START, errno.E2BIG)


def test_the_pid_is_that_of_the_command(place: Place) -> None:
    """It leads a session of its own, apart from its keeper's, and can be found from outside."""
    child = place.start(["sh", "-c", "echo $$; ps -o sid= -p $$"])
    ending = ended(child)

    assert ending.exit_code == 0
    assert [str(child.pid)] * 2 == place.stdout.read_text().split()


def test_a_script_that_kills_its_own_group_does_not_reach_its_keeper(place: Place) -> None:
    """`kill 0` is common in scripts: the keeper reports the end by signal."""
    ending = place.run(["sh", "-c", "kill -KILL 0"])

    assert (ending.reason, ending.signal) == (Reason.SIGNALLED, signal.SIGKILL)


def test_what_it_used_and_when_it_ran_is_reported(place: Place) -> None:
    """CPU seconds, the largest process and both clocks."""
    script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"
    ending = place.run(["sh", "-c", script])

    assert ending.usage.cpu_user_s > 0
    assert ending.usage.max_rss_bytes > 0
    assert ending.started is not None
    assert ending.started.boot_s < ending.ended.boot_s
    assert abs(ending.started.wall_s - place.stdout.stat().st_ctime) < 60


def test_the_ending_stays_the_same_for_every_waiter(place: Place) -> None:
    """Asking again, stopping and closing after the end change nothing."""
    child = place.start(["sh", "-c", "exit 4"])
    ending = ended(child)
    child.stop(1, "too late")
    child.close()

    assert child.wait(0) is ending
    assert child.wait() is ending


def test_waiting_ends_with_its_timeout(place: Place) -> None:
    """None tells that the command still runs."""
    child = place.start(["sleep", "100"])

    assert child.wait(0) is None
    assert child.wait(0.01) is None
    child.close()


def test_output_is_appended_to_what_is_there(place: Place) -> None:
    """A file that exists is not emptied."""
    place.stdout.write_text("before\n")
    place.run(["echo", "after"])

    assert place.stdout.read_text() == "before\nafter\n"


def test_an_output_that_cannot_be_opened_is_an_error_of_the_caller(place: Place) -> None:
    """Nothing is started."""
    command = Command(["true"], place.folder, place.folder / "absent" / "out", place.stderr)

    with pytest.raises(FileNotFoundError):
        place.guardian.spawn(command)


def test_a_command_holds_no_directory_but_its_own(place: Place, pipe: Pipe) -> None:
    """The keeper leaves the work directory, so a command may remove it and come to its end."""
    folder = place.folder / "work"
    folder.mkdir()
    command = Command(
        ["sh", "-c", "rmdir ../work"], folder, pipe.write_fd, place.stderr, {"PATH": os.defpath}, Limits()
    )
    ending = ended(place.guardian.spawn(command))

    assert ending.exit_code == 0
    assert not Path(folder).exists()
