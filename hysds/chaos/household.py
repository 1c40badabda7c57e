"""The processes of a run: started as children of ours, watched, started again, and all found again, however orphaned.

This process becomes the subreaper of all of them, so a guardian whose worker was killed, and whatever a job left behind
when everybody above it was killed, becomes a child of ours: nothing hides. For a process of one thread.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hysds.chaos.waker import Waker
from hysds.lib.process.guard import tree

_PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Member:
    """One process that is to run. `process`: None while it does not."""

    name: str
    argv: Sequence[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0


class Household:
    """All processes of one run, by name. They die with us, also when we are killed; whom we stopped goes on then."""

    def __init__(self, directory: Path, environ: Mapping[str, str]) -> None:
        tree.Kernel().become_subreaper()
        self._directory = directory
        self._environ = dict(environ)
        self._members: dict[str, Member] = {}
        self.waker = Waker()
        self._others = frozenset(tree.children(os.getpid()))
        self._prctl = ctypes.CDLL(None, use_errno=True).prctl

    def start(self, name: str, argv: Sequence[str], log: Path) -> None:
        """Start a process for the first time."""
        self._members[name] = member = Member(name, argv, log)
        self._launch(member)

    def pid(self, name: str) -> int | None:
        """The process that runs under a name now; None where none does."""
        member = self._members.get(name)
        if member is None or member.process is None or member.process.poll() is not None:
            return None
        return member.process.pid

    def restart_ended(self, *names: str) -> list[tuple[str, int]]:
        """Start again who has ended, of these or (none named) of all; answers (name, exit code, negative for a signal)
        of each.
        """
        ended = []
        for member in (self._members[name] for name in names or self._members):
            if member.process is not None and member.process.poll() is not None:
                ended.append((member.name, member.process.returncode))
                self._launch(member)
        self._reap_strangers()
        return ended

    def tell(self, name: str, number: signal.Signals) -> None:
        """Send a signal to whatever runs under a name."""
        member = self._members[name]
        if member.process is not None:
            member.process.send_signal(number)

    def has_ended(self, name: str) -> bool:
        """Whether it ended, once it is no longer started again."""
        member = self._members[name]
        if member.process is None or member.process.poll() is not None:
            member.process = None
            return True
        return False

    def below(self, name: str, called: str) -> list[int]:
        """Living processes anywhere below one of ours that the kernel knows under a name such as `keeper`."""
        pid = self.pid(name)
        return [] if pid is None else [one for one in tree.below([pid]) if _is_called(one, called)]

    def strangers(self) -> list[int]:
        """Living processes below us that we did not start and whose parent, one of ours, is gone."""
        ours = self._pids()
        orphans = [pid for pid in tree.children(os.getpid()) if pid not in ours]
        return [pid for pid in tree.below(orphans) if tree.is_alive(pid)]

    def end(self) -> None:
        """Kill everything, and reap until this process has no descendant that it did not have before."""
        for member in self._members.values():
            if member.process is not None:
                member.process.kill()
                member.process.wait()
                member.process = None
        while left := self.strangers():
            for pid in left:
                tree.tell(pid, signal.SIGKILL)
            self._reap_strangers()
        self.waker.close()

    def _launch(self, member: Member) -> None:
        with member.log.open("ab") as log:
            member.process = subprocess.Popen(
                member.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._directory,
                env=self._environ,
                start_new_session=True,
                preexec_fn=self._dies_with(os.getpid()),  # noqa: PLW1509 - a process of one thread
            )
        member.starts += 1

    def _dies_with(self, parent: int) -> Callable[[], None]:
        def before_exec() -> None:
            self._prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

        return before_exec

    def _pids(self) -> set[int]:
        """Children that are no strangers: those that we started, and those that were there before."""
        ours = {member.process.pid for member in self._members.values() if member.process is not None}
        return ours | self._others

    def _reap_strangers(self) -> None:
        """Take orphans that have ended; our own children are waited for by their name."""
        ours = self._pids()
        for pid in tree.children(os.getpid()):
            if pid not in ours:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)


def _is_called(pid: int, name: str) -> bool:
    return tree.read(f"/proc/{pid}/comm").strip() == name.encode() and tree.is_alive(pid)
