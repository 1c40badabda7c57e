"""The places to fill: one for each process of the plan, with its log, who is there now, and how often that changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hysds.embedded.warden.children import Child, Spawner
from hysds.embedded.warden.logs import LogPipe
from hysds.embedded.warden.plan import Start
from hysds.embedded.warden.restarts import Restarts

_LOG_PAUSE_S = 0.01
"""Logs are emptied so often at most: a process that writes line by line does not wake the warden for each."""

Tell = Callable[[Mapping[str, Any]], None]


@dataclass(slots=True)
class Post:
    """One process of the plan over all its lives. Times are monotonic, in seconds."""

    start: Start
    log: LogPipe
    kept: tuple[int, ...] = ()
    """Descriptors that each life inherits."""
    is_kept: bool = False
    """Whether it is started again when it ends by itself."""
    child: Child | None = None
    is_ready: bool = False
    due_s: float | None = 0.0
    """When to start it; None: it runs, or is not to be started."""
    began_s: float = 0.0
    lives: int = 0
    last_end: Mapping[str, Any] | None = None
    restarts: Restarts = field(default_factory=Restarts)

    @property
    def name(self) -> str:
        return self.start.name

    @property
    def is_alive(self) -> bool:
        return self.child is not None

    def leave_empty(self) -> None:
        """Nobody takes the place of who is there now."""
        self.is_kept, self.due_s = False, None

    def state(self) -> Mapping[str, Any]:
        """For people who ask."""
        now_s = time.monotonic()
        return {
            "name": self.name,
            "pid": self.child.process.pid if self.child else None,
            "is_ready": self.is_ready,
            "uptime_s": now_s - self.began_s if self.child else None,
            "restarts": max(self.lives - 1, 0),
            "again_s": None if self.child or self.due_s is None else max(self.due_s - now_s, 0.0),
            "last_end": self.last_end,
            "log": str(self.log.path),
        }


class Posts:
    """All of them. `tell` is called with each thing that happens."""

    def __init__(self, posts: Iterable[Post], spawner: Spawner, tell: Tell) -> None:
        self.all = tuple(posts)
        self._spawner = spawner
        self._tell = tell
        self._logs_from_s = 0.0

    @property
    def pids(self) -> set[int]:
        return {post.child.process.pid for post in self.all if post.child}

    def keep(self) -> None:
        """From now on, and those that have ended by now too."""
        for post in self.all:
            post.is_kept = True
            if not post.is_alive and post.due_s is None:
                post.due_s = time.monotonic() + post.restarts.delay_s(0)

    def start_nothing_new(self) -> None:
        """But what stands."""
        for post in self.all:
            if not post.is_kept:
                post.leave_empty()

    def fill(self, posts: Iterable[Post]) -> None:
        """Start those that are due."""
        for post in posts:
            if post.due_s is not None and post.due_s <= time.monotonic():
                self._start(post)

    def next_due_s(self, posts: Iterable[Post]) -> float | None:
        """How long until the next of these is due; None: none will be."""
        dues = [post.due_s for post in posts if post.due_s is not None]
        return max(min(dues) - time.monotonic(), 0.0) if dues else None

    def watched(self) -> dict[int, Callable[[], None]]:
        """What becomes readable when something happens, and what to do then."""
        watched: dict[int, Callable[[], None]] = {}
        for post in self.all:
            if post.child is None:
                continue
            watched[post.child.ended] = partial(self._note_end, post)
            if post.child.ready is not None:
                watched[post.child.ready] = partial(self._note_ready, post)
        if self.logs_wait_s() <= 0:
            watched |= {post.log.reads: partial(self._empty, post) for post in self.all}
        return watched

    def logs_wait_s(self) -> float:
        """How long until logs are looked at again."""
        return self._logs_from_s - time.monotonic()

    def empty_logs(self) -> None:
        """Write what there is."""
        for post in self.all:
            post.log.empty()

    def note_ready(self, post: Post) -> None:
        """It works, as it says itself or as was seen."""
        post.is_ready = True
        self._tell({"ready": post.name})

    def _start(self, post: Post) -> None:
        post.due_s, post.began_s, post.is_ready = None, time.monotonic(), False
        post.lives += 1
        try:
            post.child = self._spawner.spawn(post.start, post.log.writes, post.kept)
        except OSError as error:
            self._tell_end(post, 127, False, f"{post.start.argv[0]}: {error.strerror}")
            return
        self._tell({"started": post.name, "pid": post.child.process.pid})

    def _note_end(self, post: Post) -> None:
        if (child := post.child) is None:
            return
        code = child.take_end()
        post.child, post.is_ready = None, False
        post.log.empty()  # its last words stand there before its end is told
        self._tell_end(post, code, child.killed, "")

    def _tell_end(self, post: Post, code: int, killed: bool, reason: str) -> None:
        again_s = None
        if post.is_kept:
            again_s = post.restarts.delay_s(time.monotonic() - post.began_s)
            post.due_s = time.monotonic() + again_s
        post.last_end = {"code": code, "killed": killed, "reason": reason, "at_s": time.time()}
        self._tell({"ended": post.name, **post.last_end, "again_s": again_s})

    def _note_ready(self, post: Post) -> None:
        if post.child is not None and post.child.take_ready():
            self.note_ready(post)

    def _empty(self, post: Post) -> None:
        post.log.empty()
        self._logs_from_s = time.monotonic() + _LOG_PAUSE_S
