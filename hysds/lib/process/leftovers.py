"""Processes whose guardian and keeper are both gone: found by what they carry, killed, and proved gone.

Nobody is their parent any more who would know them all, so they are recognised: by variables that their first process
was given (/proc/PID/environ), by the session or control group that they share with one so found, by descent from one,
and by the files that only their command writes. What cleared its environment, left its session and its parents, and
closed its output is not found. Of a process whose environment may not be read (one that made itself undumpable, as
ssh-agent does) nothing can be told; while one of our user lives that may be theirs, they are not proved gone.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from hysds.lib.process import suspects, table
from hysds.lib.process.guard import tree
from hysds.lib.process.guard.wire import boot_s
from hysds.lib.process.suspects import Origin
from hysds.lib.process.table import Process

_LOOK_AGAIN_S = 0.5
"""A process that can't die yet (it waits for a disk) is told again after so long."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What tells the processes. `outputs`: files that nobody but them has open for writing. `origin`: what clears
    processes that can't be looked at; None: nothing is known of it.
    """

    variables: Mapping[str, str]
    outputs: Collection[Path] = field(default=())
    origin: Origin | None = None


def end(marks: Marks, within_s: float) -> bool:
    """Kill them until none is left; False if some still live after `within_s`, or may live.

    All are stopped before the first is killed: a process that lost its parent could not be recognised by it any more,
    and one that still runs could start another.
    """
    until_s = boot_s() + within_s
    stopped: dict[int, Process] = {}
    # Looked for twice: a parent may end just before its turn, and its newest child come just after the list was made.
    while living := _living(marks, stopped) or _living(marks, stopped):
        left_s = until_s - boot_s()
        if left_s <= 0:
            return False
        if living.keys() <= stopped.keys():
            _tell(living, signal.SIGKILL, min(left_s, _LOOK_AGAIN_S))
        else:
            _tell(living, signal.SIGSTOP)
            stopped |= living
    return not unsure(marks)


def find(marks: Marks) -> frozenset[int]:
    """The pids of those that live now. Never this process nor its ancestors; nor what it started, if it is one of them
    itself.
    """
    return frozenset(_living(marks, {}))


def unsure(marks: Marks) -> frozenset[int]:
    """The pids of those of which can't be told whether they are among them: neither to be killed nor to be denied."""
    processes = dict(table.processes())
    told = processes.keys() - _living(marks, {}).keys()
    return frozenset(suspects.among(processes, told, marks.origin) - _ours(marks, processes))


def _living(marks: Marks, known: Mapping[int, Process]) -> dict[int, Process]:
    """Those found now, and those of the known that still live."""
    processes = dict(table.processes())
    ours = _ours(marks, processes)
    found = {pid for pid in processes if _carries(pid, marks.variables)} - ours
    groups = {group for pid in found for group in table.groups_of_commands(pid)}
    sessions = {processes[pid].session for pid in found}
    found |= {pid for pid, process in processes.items() if process.session in sessions}
    if groups:
        found |= {pid for pid in processes if groups & set(table.groups_of_commands(pid))}
    found |= set(_writers(marks.outputs, processes))
    found |= {
        pid for pid, process in known.items() if pid in processes and processes[pid].born == process.born
    }
    return {pid: processes[pid] for pid in table.with_descendants(found, processes) - ours}


def _tell(living: Mapping[int, Process], number: signal.Signals, wait_s: float = 0.0) -> None:
    """A signal to each; wait until all of them are dead, but no longer than this."""
    with ExitStack() as opened:
        poll = select.poll()
        waiting = set()
        for pid, process in living.items():
            with suppress(ProcessLookupError, PermissionError):
                fd = os.pidfd_open(pid)
                opened.callback(os.close, fd)
                now = table.process(pid)
                if now is not None and now.born == process.born:  # else its number has come to another
                    signal.pidfd_send_signal(fd, number)
                    poll.register(fd, select.POLLIN)
                    waiting.add(fd)
        until_s = boot_s() + wait_s
        while waiting and (left_s := until_s - boot_s()) > 0:
            for fd, _ in poll.poll(left_s * 1000):
                poll.unregister(fd)
                waiting.discard(fd)


def _carries(pid: int, variables: Mapping[str, str]) -> bool:
    given = set(tree.read(f"/proc/{pid}/environ").split(b"\0"))
    return all(os.fsencode(f"{name}={value}") in given for name, value in variables.items())


def _writers(outputs: Collection[Path], processes: Collection[int]) -> Iterator[int]:
    names = {os.path.realpath(path) for path in outputs}
    if names:
        yield from (pid for pid in processes if _writes(pid, names))


def _writes(pid: int, names: Collection[str]) -> bool:
    folder = f"/proc/{pid}/fd"
    try:
        numbers = os.listdir(folder)
    except OSError:  # gone, or not ours to look at
        return False
    for number in numbers:
        with suppress(OSError):
            if os.readlink(f"{folder}/{number}").removesuffix(" (deleted)") in names and _is_writing(
                pid, number
            ):
                return True
    return False


def _is_writing(pid: int, number: str) -> bool:
    for line in tree.read(f"/proc/{pid}/fdinfo/{number}").splitlines():
        if line.startswith(b"flags:"):
            return int(line.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY
    return False


def _ours(marks: Marks, processes: Mapping[int, Process]) -> set[int]:
    """Who may not be told to end. What lies below a guardian of this process's own is found: one that was just killed
    is still its children's parent.
    """
    me = os.getpid()
    mine = table.with_descendants({me}, processes) if _carries(me, marks.variables) else {me}
    return mine | table.ancestors(me, processes)
