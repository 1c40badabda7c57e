"""The worker's side of its guardian: start it, have commands run, give signs of life, let it go.

Start it before the worker's threads if the worker itself is small then: nothing is forked here but one `exec`
of a bare interpreter. A guardian that died is not replaced behind the worker's back, because its commands
died with it and the worker must know: start a new one.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hysds.lib.process.child import Child
from hysds.lib.process.command import Command
from hysds.lib.process.guard import wire
from hysds.lib.process.guard.beats import Beats

_PROGRAM = Path(__file__).parent / "guard"


class GuardianGone(RuntimeError):
    """The guardian is dead: its commands are being killed, and a new guardian is needed to run more."""


@dataclass(frozen=True, slots=True)
class Watchfulness:
    """When a guardian acts without being told. Seconds on the boot-time clock; None is never.

    `silence_limit_s`: so long without a beat, and all commands are killed, `on_gone` is run and the guardian
    exits, whether the worker is dead, stopped or hung.
    `isolation_limit_s`: so long isolated, and all commands are killed; the guardian stays.
    `on_gone`: a command that is run when the worker is gone and nothing of its commands is left, with the
    environment `on_gone_env`, in the worker's directory, for at most `on_gone_limit_s`. Empty: none. Not run
    after `close`.
    `marks`: variables that the guardian and its keepers carry, beside the worker's own environment.
    `cgroups`: keep memory limits by control groups where possible, made below `cgroup_parent` (None: look for
    a place); else, and if nowhere is possible, by adding up the processes.
    """

    silence_limit_s: float | None = None
    isolation_limit_s: float | None = None
    on_gone: Sequence[str] = ()
    on_gone_env: Mapping[str, str] = field(default_factory=dict)
    on_gone_limit_s: float = 30.0
    marks: Mapping[str, str] = field(default_factory=dict)
    cgroups: bool = True
    cgroup_parent: Path | None = None


class Guardian:
    """A running guardian. Any thread may call any method."""

    def __init__(self, process: subprocess.Popen[bytes], requests: socket.socket, beats: Beats) -> None:
        """Used by `start`."""
        self._process = process
        self._requests = requests
        self._beats = beats
        self._using = threading.Lock()

    @classmethod
    def start(cls, watchfulness: Watchfulness | None = None) -> Guardian:
        """A new guardian, ready for commands. It takes some tens of milliseconds.

        Raises:
            GuardianGone: it could not start; its standard error, which is the worker's, says why.
        """
        beats_fd = Beats.create()
        beats = Beats(beats_fd)
        beats.beat()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        watchfulness = watchfulness or Watchfulness()
        with theirs:
            process = _launch(theirs, watchfulness.marks)
        settings_fd = wire.memory_file(wire.encode(_settings(watchfulness)))
        pidfd = os.pidfd_open(os.getpid())
        guardian = cls(process, ours, beats)
        try:
            wire.send_request(ours, wire.BEGIN, [settings_fd, beats_fd, pidfd])
            ready = wire.receive(ours)
        except OSError:
            ready = b""
        finally:
            for fd in (settings_fd, beats_fd, pidfd):
                os.close(fd)
        if ready != wire.READY:
            guardian.close()
            raise GuardianGone("the guardian could not start; standard error says why")
        return guardian

    @property
    def pid(self) -> int:
        """The guardian's own pid."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it can still run commands."""
        return self._process.poll() is None

    def spawn(self, command: Command) -> Child:
        """Have a command started. One that can't be started has no pid, and ends at once as
        `COULD_NOT_START`.

        Raises:
            GuardianGone: the guardian is dead or closed. If it died just now, the command may have begun to run.
            OSError: a file for the output can't be opened.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                self._request(command, theirs)
            return Child(ours)
        except (EOFError, ConnectionError) as error:
            ours.close()
            raise GuardianGone("the guardian is dead; start a new one to run commands") from error
        except BaseException:
            ours.close()
            raise

    def beat(self) -> None:
        """The worker is alive: one store to shared memory. Call it well within the silence limit.

        A guardian that somebody stopped goes on: no command could be started, and none ended, while it stands still.
        """
        self._beats.beat()
        self._process.send_signal(signal.SIGCONT)

    def isolated(self, since_boot_s: float | None = None) -> None:
        """The worker can't reach its ledger, since this boot time (None: since now). Repeating it moves the
        time.
        """
        self._beats.isolate(wire.boot_s() if since_boot_s is None else since_boot_s)

    def connected(self) -> None:
        """The worker reaches its ledger again."""
        self._beats.connect()

    def close(self) -> None:
        """End every command that still runs, without `on_gone`, and wait until the guardian has exited."""
        with self._using:
            if self._requests.fileno() >= 0:
                self._say_goodbye()
                self._requests.close()
        self._process.send_signal(signal.SIGCONT)
        self._process.wait()

    def _request(self, command: Command, control: socket.socket) -> None:
        opened: list[int] = []
        try:
            opened.append(wire.memory_file(wire.encode(_order(command))))
            out = _output(command.stdout, opened)
            err = _output(command.stderr, opened)
            with self._using:
                if self._requests.fileno() < 0:
                    raise GuardianGone("this guardian was closed; start a new one to run commands")
                wire.send_request(self._requests, wire.RUN, [control.fileno(), out, err, opened[0]])
        finally:
            for fd in opened:
                os.close(fd)

    def _say_goodbye(self) -> None:
        try:
            self._requests.send(wire.BYE)
        except OSError:
            return


def _launch(theirs: socket.socket, marks: Mapping[str, str]) -> subprocess.Popen[bytes]:
    fd = theirs.fileno()
    # Isolated and without site: it starts fast, stays small (each keeper is a copy) and nobody's packages enter it.
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-X", "utf8", str(_PROGRAM), str(fd)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[fd],
        env={**os.environ, **marks},  # noqa: TID251  (handed on whole, not read)
        start_new_session=True,
    )


def _settings(watchfulness: Watchfulness) -> wire.Settings:
    parent = watchfulness.cgroup_parent
    return wire.Settings(
        on_gone=list(watchfulness.on_gone),
        on_gone_env=dict(watchfulness.on_gone_env),
        on_gone_limit_s=watchfulness.on_gone_limit_s,
        silence_limit_s=watchfulness.silence_limit_s,
        isolation_limit_s=watchfulness.isolation_limit_s,
        cgroups=watchfulness.cgroups,
        cgroup_parent=None if parent is None else str(parent),
    )


def _order(command: Command) -> wire.Order:
    limits = command.limits
    return wire.Order(
        argv=list(command.argv),
        cwd=os.fspath(command.cwd),
        env=dict(command.env),
        soft_s=limits.soft_s,
        hard_s=limits.hard_s,
        memory_bytes=limits.memory_bytes,
        start_by_s=command.start_by_s,
        reached_s=command.reached_s,
    )


def _output(target: Path | int, opened: list[int]) -> int:
    if isinstance(target, int):
        return target
    opened.append(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644))
    return opened[-1]
