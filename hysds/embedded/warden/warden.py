"""Starts a server and, when it answers, the roles; watches all; ends them in order, whoever asks for it or dies.

A system that stands (`peers`: stand) starts what ends by itself again; one that does not leaves that to the process
that started it. A stop is asked at the control socket, on the door, by SIGTERM or SIGINT to the warden, or by the end
of the process at the control socket's other side, unless it detached. Stage by stage: SIGTERM, after the grace SIGTERM
again (it asks roles to end at once), then SIGKILL; then whatever is left below. If the warden itself is killed, the
kernel kills its children.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from hysds.embedded.warden import mark, probe
from hysds.embedded.warden.children import Child, Spawner, reap, strangers
from hysds.embedded.warden.holding import Holding
from hysds.embedded.warden.logs import LogFile, LogPipe
from hysds.embedded.warden.peers import Door, Peer
from hysds.embedded.warden.plan import Plan
from hysds.embedded.warden.posts import Post, Posts
from hysds.lib.process.guard import tree

_LOOK_EVERY_S = 0.02
_LAST_WORDS_S = 1.0


class Warden:
    """One run, from the plan to the last process."""

    def __init__(self, control: socket.socket, plan: Plan, lock: int) -> None:
        """`lock`: the descriptor that holds the home; the server holds it too, so that nobody can take the home while
        a server that was not waited for still writes its last to the files."""
        self._plan = plan
        self._parent = Peer(control, is_listener=True)
        self._peers = [self._parent]
        self._log = LogFile(plan.log, plan.rotation, stands_for=(1, 2))
        self._door = Door(plan.control)
        self._holding = Holding(lock, plan.lock, plan.control)
        self._server = Post(plan.server, LogPipe(plan.server.log, plan.rotation), (lock,))
        self._roles = [Post(role, LogPipe(role.log, plan.rotation)) for role in plan.roles]
        spawner = Spawner(plan.directory, plan.ready_variable)
        self._posts = Posts([self._server, *self._roles], spawner, self._tell)
        self._pings = probe.Pings(plan.socket)
        self._since_s, self._began_s = time.time(), time.monotonic()
        self._has_started = self._is_detached = False
        self._stopping = False
        self._hurries = False
        self._wake = tree.Wake()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked)
        # Not ignored: that would be inherited.
        signal.signal(signal.SIGHUP, lambda number, frame: None)

    def run(self) -> None:
        """Returns when nothing of the system lives any more."""
        mark.put(self._plan.mark, os.getpid())
        try:
            while not self._stopping:
                self._turn(self._tend(self._roles))
        finally:
            self._end_all()
            self._posts.empty_logs()
            self._door.close(is_ours=not self._holding.loss())
            mark.remove(self._plan.mark, os.getpid())
            self._tell({"gone": True})
            until_s = time.monotonic() + _LAST_WORDS_S
            for peer in self._peers:
                peer.finish(until_s)

    def _tend(self, roles: list[Post]) -> float | None:
        """Start what is due, roles only beside a server that answers; answers how long nothing will be due."""
        self._posts.fill([self._server])
        if self._server.is_alive and not self._server.is_ready:
            if not self._pings.answers():
                return self._pings.again_s()
            self._posts.note_ready(self._server)
        if not self._server.is_ready:
            return self._posts.next_due_s([self._server])
        self._posts.fill(roles)
        return self._posts.next_due_s(roles)

    def _turn(self, timeout_s: float | None) -> None:
        """Wait for whatever happens next, and take note of it."""
        watched: dict[int, Callable[[], None]] = {
            self._wake.fd: self._reap,
            self._door.fd: self._admit,
            **{peer.fd: partial(self._attend, peer) for peer in self._peers},
            **self._posts.watched(),
        }
        if (logs_s := self._posts.logs_wait_s()) > 0:
            timeout_s = logs_s if timeout_s is None else min(timeout_s, logs_s)
        if not self._stopping:
            timeout_s = min(self._holding.again_s(), timeout_s if timeout_s is not None else math.inf)
        asks = {peer.fd: peer.events for peer in self._peers}
        poll = select.poll()
        for fd in watched:
            poll.register(fd, asks.get(fd, select.POLLIN))
        for fd, _ in poll.poll(None if timeout_s is None else max(timeout_s, 0) * 1000):
            watched[fd]()
        self._peers = [peer for peer in self._peers if not peer.is_over]
        if not self._stopping and self._holding.again_s() <= 0:
            self._look_at_home()

    def _look_at_home(self) -> None:
        """A home that is not ours any more is one that somebody else may take: nothing of this system may stay."""
        if loss := self._holding.loss():
            self._stopping = self._hurries = True
            self._tell({"lost": f"{loss} while the system ran: all of it is ended"})

    def _admit(self) -> None:
        if (peer := self._door.admit(len(self._peers))) is not None:
            self._peers.append(peer)

    def _attend(self, peer: Peer) -> None:
        peer.send()
        for message in peer.hear():
            self._answer(peer, message)
        if peer is self._parent and peer.is_over and not self._is_detached:
            self._stopping = self._hurries = True

    def _answer(self, peer: Peer, message: Mapping[str, Any]) -> None:
        if message.get("stop"):
            self._stopping = True
            self._hurries = self._hurries or bool(message.get("hurry"))
            peer.is_listener = True
            peer.say({"stopping": True})
        if message.get("tell") == "state":
            peer.say({"state": self._state()})
        if message.get("stand") and peer is self._parent:
            self._posts.keep()
            self._is_detached = bool(message.get("detached"))
            peer.say({"standing": True})

    def _state(self) -> Mapping[str, Any]:
        return {
            "pid": os.getpid(),
            "since_s": self._since_s,
            "uptime_s": time.monotonic() - self._began_s,
            "phase": "stopping" if self._stopping else "running" if self._has_started else "starting",
            "is_standing": self._plan.stands,
            "is_detached": self._is_detached,
            "processes": [post.state() for post in self._posts.all],
        }

    def _asked(self, number: int, frame: object) -> None:
        self._stopping = True

    def _reap(self) -> None:
        self._wake.clear()
        reap(self._strangers())

    def _strangers(self) -> list[int]:
        return strangers(self._posts.pids)

    def _end_all(self) -> None:
        """What stands is kept until its own turn comes: roles that finish their work need the server."""
        self._stopping = True
        self._posts.start_nothing_new()
        for stage in sorted({post.start.stage for post in self._roles}):
            self._end([post for post in self._roles if post.start.stage == stage], Child.ask)
        self._end([self._server], self._shut_down)
        self._sweep()

    def _end(self, posts: list[Post], ask: Callable[[Child], None]) -> None:
        for post in posts:
            post.leave_empty()
        alive = [post for post in posts if post.is_alive]
        _each(alive, ask)
        began_s = time.monotonic()
        self._await(alive, lambda: began_s + max((self._grace_s(post) for post in alive), default=0.0))
        for step in (Child.ask, Child.kill):
            _each(alive, step)
            until_s = time.monotonic() + self._plan.hurry_s
            self._await(alive, lambda until_s=until_s: until_s)  # type: ignore[misc]
        self._end_leftovers()

    def _grace_s(self, post: Post) -> float:
        grace_s = post.start.grace_s
        return min(grace_s, self._plan.orphaned_grace_s) if self._hurries else grace_s

    def _await(self, posts: list[Post], until_s: Callable[[], float]) -> None:
        """Until all have ended, no longer than until then; that time may come closer meanwhile."""
        while any(post.is_alive for post in posts):
            left_s = until_s() - time.monotonic()
            if left_s <= 0:
                return
            due_s = (
                self._tend([post for post in self._roles if post.is_kept]) if self._server.is_kept else None
            )
            self._turn(left_s if due_s is None else min(due_s, left_s))

    def _end_leftovers(self) -> None:
        """What an ended role left behind may finish its own work (its guardian ends jobs and tells the ledger), for so
        long as a role may hurry; then it is killed."""
        until_s = time.monotonic() + self._plan.hurry_s
        while left := [pid for pid in self._strangers() if tree.is_alive(pid)]:
            if time.monotonic() >= until_s:
                for pid in tree.below(left):
                    tree.tell(pid, signal.SIGKILL)
            self._turn(_LOOK_EVERY_S)

    def _shut_down(self, server: Child) -> None:
        if self._holding.loss():
            # What now lies under the socket's name may be another system's: it must hear no command of ours, and a
            # server that ends by itself would unlink it. What ours acknowledged is on disk, if that is there still.
            server.kill()
        elif not probe.shut_down(self._plan.socket):
            server.ask()

    def _sweep(self) -> None:
        """Kill and reap until this process has no descendant."""
        while below := tree.below(tree.children(os.getpid())):
            for pid in below:
                tree.tell(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(-1, 0)  # nobody is waited for any more but here

    def _tell(self, message: Mapping[str, Any]) -> None:
        """To whoever listens, and in the log."""
        self._has_started = self._has_started or all(
            post.is_ready or not post.start.tells_ready for post in self._roles
        )
        for peer in self._peers:
            if peer.is_listener and not peer.is_over:
                peer.say(message)
        now_s = time.time()
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now_s))
        self._log.write(
            f"[{moment},{int(now_s * 1000) % 1000:03}: INFO/warden] {json.dumps(message)}\n".encode()
        )


def _each(posts: Iterable[Post], step: Callable[[Child], None]) -> None:
    for post in posts:
        if post.child is not None:
            step(post.child)


def serve(control_fd: int, lock: int) -> None:
    """Take the plan from the control socket, and carry it out."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # whatever whoever started all this had blocked
    tree.Kernel().become_subreaper()
    control = socket.socket(fileno=control_fd)
    text = b""
    while not text.endswith(b"\n"):
        part = control.recv(65536)
        if not part:
            return
        text += part
    Warden(control, Plan.decode(text), lock).run()
