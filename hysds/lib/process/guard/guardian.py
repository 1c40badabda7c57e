"""The guardian: forks a keeper for each command, and ends everything when its worker is gone.

It is one process with one thread, started before the worker's threads, in a session of its own, deaf to every
signal that can be ignored. Being a subreaper too, it is given what a command leaves that kills its keeper: it
kills that, and reports the end in the keeper's place. When the worker's socket closes, or the worker was
silent for too long, the keepers end their commands; only when nothing is left the guardian runs its one
command (`on_gone`), and exits.
"""

# ruff: noqa: TID252  (this folder is a package of another name where it runs; see __main__)
from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
from typing import NoReturn

from . import cgroup, keeper, report, tree, wire
from .beats import Beats
from .crew import Crew
from .wire import Reason

_DEAF_TO = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}
_FAULTS = {signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT, signal.SIGTRAP}
_SWEEP_AGAIN_S = 0.05
_LONGEST_SLEEP_S = 5.0
"""A poll's timeout stands still while the machine sleeps; the keepers look at the worker's silence more often."""
_FAILED = 70
"""The exit code of a keeper that did not come to report (EX_SOFTWARE)."""


def main(worker_fd: int) -> NoReturn:
    """Serve the worker at the other end of this socket; exit when all is done."""
    worker = socket.socket(fileno=worker_fd)
    worker.set_inheritable(False)
    kind, fds = wire.receive_request(worker)
    if kind != wire.BEGIN:
        sys.exit("guardian: its worker went away before it began")
    settings_fd, beats_fd, worker_pidfd = fds
    settings = wire.Settings._make(wire.fields(wire.read_memory_file(settings_fd)))
    beats = Beats(beats_fd)
    os.close(beats_fd)
    for number in _DEAF_TO - _FAULTS:
        signal.signal(number, signal.SIG_IGN)
    guardian = Guardian(worker, worker_pidfd, _house(settings, beats))
    worker.send(wire.READY)
    gc.freeze()
    guardian.serve()
    sys.exit(0)


class Guardian:
    """The commands that run, by their keepers."""

    def __init__(self, worker: socket.socket, worker_pidfd: int, house: keeper.House) -> None:
        self._worker = worker
        # A worker that forked without exec leaves its sockets open when it dies; its pidfd tells all the same.
        self._worker_pidfd = worker_pidfd
        self._house = house
        self._wake = tree.Wake()
        self._poll = select.poll()
        self._crew = Crew(self._poll, self._become_keeper)
        self._widowed: dict[int, socket.socket] = {}
        self._sweep = tree.Sweep()
        self._is_closing = False
        self._alarm = False

    def serve(self) -> None:
        """Until the worker has gone and nothing is left of its commands; then run `on_gone`, unless it said
        goodbye.
        """
        for fd in (self._worker.fileno(), self._worker_pidfd, self._wake.fd):
            self._poll.register(fd, select.POLLIN)
        while not self._is_closing or self._crew.pids or self._widowed:
            ready = dict(self._poll.poll(self._sleep_ms()))
            self._crew.hear(ready.keys())
            self._crew.dismiss()
            if self._wake.fd in ready:
                self._reap()
            if self._widowed:
                self._sweep_orphans(told_again=not ready)
            if self._worker.fileno() in ready:
                self._hear()
            if self._look_for_end(self._worker_pidfd in ready):
                self._poll.unregister(self._worker_pidfd)
                self._poll.unregister(self._worker)
                self._worker.close()
        if self._alarm and self._house.settings.on_gone:
            self._tell(self._house.settings.on_gone)

    def _hear(self) -> None:
        try:
            kind, fds = wire.receive_request(self._worker)
        except ConnectionError:
            kind, fds = b"", []
        if kind == wire.RUN and len(fds) == 4:
            self._run(*fds)
        elif kind == wire.RUN:
            for fd in fds:
                os.close(fd)
        else:
            self._end(Reason.WORKER_GONE, alarm=kind != wire.BYE)

    def _run(self, control_fd: int, out: int, err: int, order_fd: int) -> None:
        control = socket.socket(fileno=control_fd)
        try:
            self._crew.hand_over(control, [control_fd, out, err, order_fd])
        except OSError as error:
            wire.send(control, report.refusal(error))
            control.close()
        for fd in (out, err, order_fd):
            os.close(fd)

    def _become_keeper(self, line: socket.socket) -> NoReturn:
        code = _FAILED
        try:
            gc.disable()
            house = self._house
            _close_all_but({line.fileno(), house.null_fd, house.alive_fd, house.closing_fd})
            keeper.serve(house, line)
            code = 0
        except BaseException:  # noqa: BLE001  (the outermost shell of this process)
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)

    def _reap(self) -> None:
        self._wake.clear()
        try:
            for pid, status, _ in tree.reap():
                if os.WIFSTOPPED(status):
                    self._refuse_stop(pid)
                    continue
                self._sweep.forget(pid)
                if pid in self._crew.pids:
                    self._part(pid, status)
        except ChildProcessError:
            return

    def _refuse_stop(self, pid: int) -> None:
        """A stopped keeper keeps no limit. Whoever stopped it, its command must not go on without it."""
        if pid in self._crew.pids:
            tree.tell(pid, signal.SIGKILL)

    def _part(self, pid: int, status: int) -> None:
        """A keeper ended. One that did not report leaves a control socket to be answered by us."""
        control = self._crew.part(pid)
        if control is None:
            return  # it rested, with nothing below it
        if status == 0:
            self._bury(pid, control)
        else:
            self._widowed[pid] = control

    def _bury(self, pid: int, control: socket.socket) -> None:
        if self._house.groups is not None:
            self._house.groups.remove(pid)
        control.close()

    def _sweep_orphans(self, told_again: bool) -> None:
        """Kill what keepers left that were killed; when nothing of it lives, report for them."""
        if told_again:
            self._sweep.forget()
        orphans = [pid for pid in tree.children(os.getpid()) if pid not in self._crew.pids]
        if orphans:
            self._sweep.kill(orphans)
            return
        for pid, control in self._widowed.items():
            wire.send(control, report.end_of_widow(self._sweep.killed_beside(pid)))
            self._bury(pid, control)
        self._widowed, self._sweep = {}, tree.Sweep()

    def _look_for_end(self, worker_is_dead: bool) -> bool:
        """Whether the end has just begun, and the worker's socket is still open."""
        if not self._is_closing and worker_is_dead:
            self._end(Reason.WORKER_GONE, alarm=True)
        silent_at = self._house.beats.silent_at(self._house.settings.silence_limit_s)
        if not self._is_closing and silent_at is not None and wire.boot_s() >= silent_at:
            self._end(Reason.SILENT, alarm=True)
        return self._is_closing and self._worker.fileno() >= 0

    def _end(self, reason: Reason, alarm: bool) -> None:
        """Have all keepers end their commands; nothing new is taken on."""
        self._is_closing, self._alarm = True, alarm
        self._house.beats.close(reason)
        os.eventfd_write(self._house.closing_fd, 1)

    def _sleep_ms(self) -> float | None:
        if self._widowed:
            return _SWEEP_AGAIN_S * 1000
        silent_at = self._house.beats.silent_at(self._house.settings.silence_limit_s)
        times = [self._crew.dismisses_at_s(), None if self._is_closing else silent_at]
        next_at = min((at for at in times if at is not None), default=None)
        if next_at is None:
            return None
        return min(max(next_at - wire.boot_s(), 0.0), _LONGEST_SLEEP_S) * 1000

    def _tell(self, argv: list[str]) -> None:
        """Run the one command, for a bounded time; nothing of it is left either."""
        try:
            pid = os.posix_spawnp(
                argv[0], argv, self._house.settings.on_gone_env, setsigmask=(), setsigdef=_DEAF_TO
            )
        except OSError as error:
            sys.stderr.write(f"guardian: could not run {argv[0]}: {error.strerror}\n")
            return
        until = wire.boot_s() + self._house.settings.on_gone_limit_s
        while self._lives(pid) and wire.boot_s() < until:
            self._wake.wait(until - wire.boot_s())
        sweep = tree.Sweep()
        while orphans := tree.children(os.getpid()):
            sweep.kill(orphans)
            if not self._wake.wait(_SWEEP_AGAIN_S):
                sweep.forget()
            self._reap()

    def _lives(self, pid: int) -> bool:
        self._reap()
        return pid in tree.children(os.getpid())


def _house(settings: wire.Settings, beats: Beats) -> keeper.House:
    """Everything that keepers need and that is cheaper to have before they are forked."""
    kernel = tree.Kernel()
    kernel.call_myself(b"guardian")
    kernel.become_subreaper()
    if not os.path.exists(f"/proc/self/task/{os.getpid()}/children"):
        sys.exit("guardian: this kernel does not list children in /proc (CONFIG_PROC_CHILDREN)")
    return keeper.House(
        kernel=kernel,
        beats=beats,
        settings=settings,
        groups=cgroup.find(settings.cgroup_parent) if settings.cgroups else None,
        null_fd=os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC),
        alive_fd=os.pidfd_open(os.getpid()),
        closing_fd=os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK),
    )


def _close_all_but(kept: set[int]) -> None:
    """Close every descriptor above standard error that is not kept: another command's socket must see its own
    end.
    """
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd > 2 and fd not in kept:
            _close(fd)


def _close(fd: int) -> None:
    try:
        os.close(fd)
    except OSError:
        return
