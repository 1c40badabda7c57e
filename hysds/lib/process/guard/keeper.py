"""One command's keeper: it starts the command, alone waits for it, and ends all below it when that is due.

It is forked by the guardian, leads a session of its own and is the subreaper of all that the command starts. After a
command that came to a plain end, with nothing left, it may keep another (`crew`).
It answers on the command's control socket: `Started`, then, when nothing of the command lives any more,
`Ended`. The command gets a session of its own too: `kill 0` in a script must not reach the keeper.
"""

# ruff: noqa: TID252  (this folder is a package of another name where it runs; see __main__)
from __future__ import annotations

import os
import select
import socket
from typing import NamedTuple

from . import cgroup, launch, memory, report, tree, wire
from .beats import Beats
from .ladder import Ladder, Step
from .wire import Reason

_LONGEST_SLEEP_S = 1.0
"""The beats are looked at this often at least; a poll's timeout also stands still while the machine sleeps."""
_SWEEP_AGAIN_S = 0.05
_MOST_COMMANDS = 100
"""After so many a keeper makes room for a fresh one: whatever piles up in a process stays small."""


class House(NamedTuple):
    """What the guardian prepared once for all its keepers."""

    kernel: tree.Kernel
    beats: Beats
    settings: wire.Settings
    groups: cgroup.Groups | None
    null_fd: int
    alive_fd: int
    """The guardian's pidfd: readable when it is dead."""
    closing_fd: int
    """Readable when the guardian ends everything; `beats.closing` tells why."""


def serve(house: House, line: socket.socket) -> None:
    """Keep commands as their orders come on the line. The calling process does nothing else and must exit then."""
    os.setsid()
    house.kernel.call_myself(b"keeper")
    house.kernel.become_subreaper()
    wake = tree.Wake()
    for number in range(_MOST_COMMANDS):
        fds = _next_order(house, line) if number == 0 or _is_told_free(line) else []
        if not fds:
            return
        control_fd, out, err, order_fd = fds
        order = wire.Order._make(wire.fields(wire.read_memory_file(order_fd)))
        with socket.socket(fileno=control_fd) as control:
            is_plain = keep(house, order, control, launch.Outputs(out, err), wake)
        if not is_plain:
            return


def keep(
    house: House, order: wire.Order, control: socket.socket, outputs: launch.Outputs, wake: tree.Wake
) -> bool:
    """Run one command to its end and report it; answers whether that left this process as it was before."""
    if wire.boot_s() >= order.start_by_s:
        # The order lay here while guardian or worker stood still: by now another host may do the same.
        wire.send(control, report.too_late())
        return False
    keeper = Keeper(house, order, control, wake)
    try:
        pid = keeper.start(outputs)
    except OSError as error:
        wire.send(control, report.refusal(error))
        return False
    else:
        ended = keeper.watch(pid)
        wire.send(control, ended)
        return keeper.is_plain and ended.leftovers == 0
    finally:
        keeper.clear()


class Keeper:
    """The state of one command's life."""

    def __init__(self, house: House, order: wire.Order, control: socket.socket, wake: tree.Wake) -> None:
        self._house = house
        self._order = order
        self._control = control
        self._wake = wake
        self._memory, self._group = self._memory_watch()
        self._status: int | None = None
        self._used = report.Used()
        self._pid = 0

    def start(self, outputs: launch.Outputs) -> int:
        """The command's pid.

        Raises:
            OSError: its directory or its program can't be used; `filename` tells which.
        """
        os.chdir(self._order.cwd)
        if self._group is not None:
            self._group.enter()
        try:
            return launch.spawn(self._order, self._house.null_fd, outputs)
        finally:
            if self._group is not None:
                self._group.leave()
            os.chdir("/")
            os.close(outputs.out)
            os.close(outputs.err)

    def watch(self, pid: int) -> wire.Ended:
        """Answer when the command and everything below it is gone."""
        self._pid = pid
        now_s = wire.boot_s()
        self._ladder = Ladder(now_s, self._order.soft_s, self._order.hard_s)
        self._memory_at = now_s
        wire.send(self._control, wire.Started(pid, now_s, wire.wall_s()))
        self._listen()
        leftovers = self._sweep()
        self._look_at_memory()
        return self._ended(leftovers)

    @property
    def is_plain(self) -> bool:
        """Whether the command ended by itself, and no control group was made for it: one that can't be removed, as
        something in it is still ending, would keep the name and the counts of this command for the next.
        """
        return self._ladder.cause is None and self._group is None

    def clear(self) -> None:
        """Leave no control group."""
        if self._group is not None:
            self._group.remove()

    def _memory_watch(self) -> tuple[memory.Watch | None, cgroup.Group | None]:
        limit_bytes, groups = self._order.memory_bytes, self._house.groups
        if limit_bytes is None:
            return None, None
        if groups is not None:
            try:
                group = groups.open(os.getpid(), limit_bytes)
            except OSError:
                return memory.TreeSum(limit_bytes), None
            return group, group
        return memory.TreeSum(limit_bytes), None

    def _listen(self) -> None:
        """Until all is gone by itself, or what is left is to be killed."""
        poll = select.poll()
        for fd in (self._control.fileno(), self._wake.fd, self._house.alive_fd, self._house.closing_fd):
            poll.register(fd, select.POLLIN)
        while True:
            if self._is_over():
                return
            step = self._ladder.step(wire.boot_s())
            if step is Step.KILL:
                return
            if step is Step.ASK:
                tree.ask_to_end(tree.children(os.getpid()))
            for fd, _ in poll.poll(self._sleep_s() * 1000):
                self._hear(fd)
            self._look_at_clocks()

    def _hear(self, fd: int) -> None:
        if fd == self._control.fileno():
            self._hear_worker()
        elif fd == self._house.alive_fd:
            self._lose(Reason.GUARDIAN_GONE, "its guardian was killed")
        elif fd == self._house.closing_fd:
            reason = self._house.beats.closing or Reason.WORKER_GONE
            self._lose(reason, "its guardian ended everything")

    def _hear_worker(self) -> None:
        message = wire.receive(self._control)
        if not message:
            self._lose(Reason.WORKER_GONE, "its worker closed the connection")
            return
        stop = wire.Stop._make(wire.fields(message))
        self._ladder.stop(wire.boot_s(), stop.grace_s, stop.message)

    def _look_at_clocks(self) -> None:
        now_s, beats, settings = wire.boot_s(), self._house.beats, self._house.settings
        silent_at = beats.silent_at(settings.silence_limit_s)
        isolated_at = beats.isolated_at(settings.isolation_limit_s, self._order.reached_s)
        if silent_at is not None and now_s >= silent_at:
            self._lose(Reason.SILENT, f"its worker gave no sign of life for {settings.silence_limit_s} s")
        if isolated_at is not None and now_s >= isolated_at:
            self._lose(Reason.ISOLATED, f"its worker was cut off for {settings.isolation_limit_s} s")
        if self._memory is not None and now_s >= self._memory_at:
            self._look_at_memory()
            self._memory_at = wire.boot_s() + self._memory.interval_s

    def _look_at_memory(self) -> None:
        excess = None if self._memory is None else self._memory.excess(_all_below_me)
        if excess is not None:
            self._lose(Reason.OOM, excess)

    def _lose(self, reason: Reason, message: str) -> None:
        self._ladder.lose(wire.boot_s(), reason, message)

    def _sleep_s(self) -> float:
        beats, settings = self._house.beats, self._house.settings
        times = [
            self._ladder.next_at,
            beats.silent_at(settings.silence_limit_s),
            beats.isolated_at(settings.isolation_limit_s, self._order.reached_s),
            None if self._memory is None else self._memory_at,
        ]
        next_at = min((at for at in times if at is not None), default=float("inf"))
        return min(max(next_at - wire.boot_s(), 0.0), _LONGEST_SLEEP_S)

    def _is_over(self) -> bool:
        """Whether nothing is to be waited for: all is gone; or the command is, and nobody gave its remains a
        grace.
        """
        if not self._reap():
            return True
        return self._status is not None and self._ladder.cause is None

    def _reap(self, sweep: tree.Sweep | None = None) -> bool:
        """Take the dead; False if no child is left at all, which proves that nothing lives below."""
        self._wake.clear()
        try:
            for pid, status, used in tree.reap():
                if os.WIFSTOPPED(status):
                    continue
                self._used = self._used.beside(used)
                if pid == self._pid and self._status is None:
                    self._status = status
                if sweep is not None:
                    sweep.forget(pid)
        except ChildProcessError:
            return False
        return True

    def _sweep(self) -> int:
        """Kill until no child is left. Answers how many beside the command had to be killed."""
        sweep = tree.Sweep()
        while self._reap(sweep):
            sweep.kill(tree.children(os.getpid()))
            if not self._wake.wait(_SWEEP_AGAIN_S):
                sweep.forget()
        return sweep.killed_beside(self._pid)

    def _ended(self, leftovers: int) -> wire.Ended:
        status = self._status or 0
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        code = None if number is not None else os.WEXITSTATUS(status)
        natural = Reason.EXITED if number is None else Reason.SIGNALLED
        reason = self._ladder.cause or natural
        return report.ended(reason, code, number, self._ladder.message, leftovers, self._used)


def _is_told_free(line: socket.socket) -> bool:
    """Tell the guardian that another command would be kept; False if it is dead."""
    try:
        line.send(wire.FREE)
    except OSError:
        return False
    return True


def _next_order(house: House, line: socket.socket) -> list[int]:
    """The descriptors of the next order; none when this process is to go."""
    poll = select.poll()
    for fd in (line.fileno(), house.alive_fd, house.closing_fd):
        poll.register(fd, select.POLLIN)
    ready = [fd for fd, _ in poll.poll()]
    if house.alive_fd in ready:
        return []  # an order that still lies here was never begun: its worker sees the guardian gone, and knows
    if house.closing_fd in ready and not tree.is_readable(line.fileno()):
        return []
    try:
        _, fds = wire.receive_request(line)
    except ConnectionError:
        return []
    return fds


def _all_below_me() -> list[int]:
    return tree.below(tree.children(os.getpid()))
