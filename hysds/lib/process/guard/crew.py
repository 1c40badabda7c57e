"""The guardian's keepers: who keeps a command, and who rests until the next.

To fork a keeper costs more than all that it then does for a short command. So one whose command came to a plain end
keeps the next; a keeper that nobody needs for a moment is dismissed. A keeper that rests has no process below it.
"""

# ruff: noqa: TID252  (this folder is a package of another name where it runs; see __main__)
from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable, Collection
from typing import NoReturn

from . import wire

_REST_S = 1.0


class Post:
    """One keeper. `control`: the socket of the command that it keeps; None: it rests."""

    def __init__(self, line: socket.socket) -> None:
        """`line`: the guardian's end; orders go out on it, and the word that the keeper is free comes in."""
        self.line = line
        self.control: socket.socket | None = None
        self.rests_since_s = 0.0


class Crew:
    """All keepers that live, by pid. Their lines are in `poll`."""

    def __init__(self, poll: select.poll, become_keeper: Callable[[socket.socket], NoReturn]) -> None:
        """`become_keeper`: what a forked process does, with its end of the line."""
        self._poll = poll
        self._become_keeper = become_keeper
        self._posts: dict[int, Post] = {}
        self._resting: list[int] = []
        """The latest last: it is taken first, so that those too many come to be dismissed."""

    @property
    def pids(self) -> Collection[int]:
        """Of all keepers, resting ones among them."""
        return self._posts.keys()

    def hand_over(self, control: socket.socket, fds: list[int]) -> None:
        """Have a command kept. The order's descriptors are the caller's to close, `control` is not.

        Raises:
            OSError: a keeper was needed and could not be forked; `control` is still the caller's.
        """
        while self._resting:
            post = self._posts[self._resting.pop()]
            if _send(post.line, fds):
                post.control = control
                return
        post = self._engage()
        post.control = control
        _send(post.line, fds)  # one that was killed by now is answered for when it is reaped

    def hear(self, ready: Collection[int]) -> None:
        """Keepers that say on their lines, which are ready to be read, that they are free."""
        for pid, post in self._posts.items():
            if post.line.fileno() not in ready:
                continue
            if wire.receive(post.line) != wire.FREE:
                self._hang_up(pid)
            elif post.control is not None:
                post.control.close()
                post.control = None
                post.rests_since_s = wire.boot_s()
                self._resting.append(pid)

    def part(self, pid: int) -> socket.socket | None:
        """A keeper is dead. Answers the socket of the command that it had, None if it rested."""
        self._hang_up(pid)
        return self._posts.pop(pid).control

    def dismiss(self) -> None:
        """Let those go that have rested for long."""
        now_s = wire.boot_s()
        while self._resting and now_s >= self._posts[self._resting[0]].rests_since_s + _REST_S:
            self._hang_up(self._resting[0])

    def dismisses_at_s(self) -> float | None:
        """When `dismiss` will next have somebody to let go; None: nobody rests."""
        return self._posts[self._resting[0]].rests_since_s + _REST_S if self._resting else None

    def _engage(self) -> Post:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            raise
        if pid == 0:
            self._become_keeper(theirs)
        theirs.close()
        post = self._posts[pid] = Post(ours)
        self._poll.register(ours, select.POLLIN)
        return post

    def _hang_up(self, pid: int) -> None:
        """A keeper that rests leaves when its line is closed."""
        if pid in self._resting:
            self._resting.remove(pid)
        line = self._posts[pid].line
        if line.fileno() >= 0:
            self._poll.unregister(line)
            line.close()


def _send(line: socket.socket, fds: list[int]) -> bool:
    """False if nobody is there to read it."""
    try:
        wire.send_request(line, wire.RUN, fds)
    except OSError:
        return False
    return True
