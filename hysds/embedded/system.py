"""An embedded system as its user sees it: start, wait until the roles are ready, look after it, stop.

Everything runs below a warden (`hysds.embedded.warden`), which ends it in order when told, and also when this process
is killed. The lock of the home is held by both, so nobody takes the home while anything still runs in it.

A system for one job ends with its process, and is over when a part of it ends by itself: who watches the job is told.
One that stands (`stand`) starts such a part again; detached, it goes on when this process has left.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from hysds.embedded import roles as plans
from hysds.embedded import valkey
from hysds.embedded.errors import ChildEnded, EmbeddedError, HomeLost
from hysds.embedded.events import Ended, Events
from hysds.embedded.home import Home, open_log
from hysds.embedded.roles import WARDEN, Company
from hysds.embedded.warden.plan import SERVER, line
from hysds.lib.process.guard import tree
from hysds.settings.model import Settings

_PROGRAM = Path(__file__).parent / "warden"
_GONE_WITHIN_S = 10.0
_BEFORE_US_S = 15.0
"""How long what is left of a killed system may take to die."""


@dataclass(slots=True)
class _Running:
    """What there is between start and stop."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    lock: int
    events: Events = field(default_factory=Events)


class EmbeddedSystem:
    """The server and the roles of one home. For one thread; `with` starts it and stops it."""

    def __init__(self, settings: Settings, company: Company) -> None:
        """The roles of the company load these settings from its environment.

        Raises: ValueError where the settings name a ledger elsewhere, or two roles have one name.
        """
        if settings.ledger.url is not None:
            raise ValueError("the settings name a ledger, so there is none to start")
        names = [SERVER, WARDEN, *(role.name for role in company.roles)]
        if len(set(names)) < len(names):
            raise ValueError(f"two processes of one name among {names}")
        self.home = Home(settings.home)
        self._company = company
        self._running: _Running | None = None
        self._logged: dict[str, int] = {}

    def __enter__(self) -> EmbeddedSystem:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pids(self) -> Mapping[str, int]:
        """The processes that were started, by name, the warden among them; those that ended are not."""
        if self._running is None:
            return {}
        self._listen(self._running, 0)
        ended = self._running.events.ended
        alive = {name: pid for name, pid in self._running.events.pids.items() if name not in ended}
        return alive | {WARDEN: self._running.process.pid}

    def start(self, timeout_s: float = 60.0) -> None:
        """Start the server, and the roles as soon as it answers; returns then. The roles are not ready yet.

        Raises: ForeignFiles, HomeInUse, NoServer, ChildEnded; OSError where the file system refuses.
        """
        if self._running is not None:
            raise EmbeddedError(f"the system under {self.home.path} is started already")
        server = valkey.program(self._company.environ.get("PATH", os.defpath))
        lock = self.home.prepare(_BEFORE_US_S)
        try:
            for name in (SERVER, WARDEN, *(role.name for role in self._company.roles)):
                self._note_log(name)
            self._running = running = self._launch(lock)
        except BaseException:
            os.close(lock)
            raise
        try:
            self.home.note_holders(lock, os.getpid(), running.process.pid)
            running.control.sendall(plans.plan(server, self.home, self._company).encode())
            self._await([SERVER], timeout_s)
        except BaseException:
            self.stop()
            raise

    def await_roles(self, timeout_s: float = 60.0) -> None:
        """Until every role that tells its readiness is ready.

        Raises: ChildEnded where one ended instead, or is not ready in time.
        """
        self._await([role.name for role in self._company.roles if role.tells_ready], timeout_s)

    def stand(self, detached: bool = False) -> None:
        """From now on what ends by itself is started again. Detached: nothing is left here to `stop`, the system goes
        on without this process; `standing` reaches it.

        Raises: ChildEnded for what ended before.
        """
        running = self._must_run()
        self._listen(running, 0)
        self._raise_for_ended(running)
        running.control.sendall(line({"stand": True, "detached": detached}))
        while not running.events.is_standing:
            self._listen(running, None)
            if running.events.is_over:
                self._raise_for_ended(running)
        if detached:
            self._running = None  # an interrupt from here on finds nothing to stop
            running.process.returncode = 0  # nobody here waits for it
            self.home.note_holders(running.lock, running.process.pid)
            running.control.close()
            os.close(running.lock)

    def attend(self, told: Callable[[Ended], None]) -> None:
        """Until the system ends because somebody else asked it to; `told` is called with each end of a process.

        Raises: ChildEnded where the warden was killed, HomeLost where its home was taken away.
        """
        running = self._must_run()
        while not running.events.is_over:
            self._listen(running, None)
            news, running.events.news = running.events.news, []
            for end in news:
                told(end)
        if running.events.lost:
            raise HomeLost(running.events.lost)
        if not running.events.is_gone:
            raise self._complaint(WARDEN, "ended")

    def check(self) -> None:
        """Whether everything still runs; costs one look.

        Raises: ChildEnded for the first process that ended by itself, with the end of its log; HomeLost.
        """
        running = self._must_run()
        self._listen(running, 0)
        self._raise_for_ended(running)

    def stop(self) -> tuple[Ended, ...]:
        """End the roles, stage by stage, then the server; answers how each ended. Nothing of it lives afterwards.

        An interrupt here makes it hurry; a second one leaves the rest to the warden. May be repeated.
        """
        running, self._running = self._running, None
        if running is None:
            return ()
        try:
            self._ask_to_stop(running)
        except BaseException:
            running.control.close()  # in a hurry from now on
            raise
        finally:
            running.process.wait()
            running.control.close()
            os.close(running.lock)
        _await_gone(running.events.pids.values())
        return tuple(running.events.ended.values())

    def _ask_to_stop(self, running: _Running) -> None:
        until_s = time.monotonic() + self._longest_stop_s()
        try:
            running.control.sendall(line({"stop": True}))
        except OSError:
            return  # the warden is dead, and with it its children
        while not running.events.is_over and time.monotonic() < until_s:
            self._listen(running, until_s - time.monotonic())
        if not running.events.is_over:
            running.process.kill()

    def _longest_stop_s(self) -> float:
        roles, patience = self._company.roles, self._company.patience
        graces_s = sum(role.grace_s for role in roles) + patience.server_grace_s
        return graces_s + (len(roles) + 1) * (2 * patience.hurry_s + 5) + 10

    def _launch(self, lock: int) -> _Running:
        ours, theirs = socket.socketpair()
        log = open_log(self.home.log_of(WARDEN))
        try:
            with theirs:
                # Isolated and without site: it starts fast, stays small, and nobody's packages enter it. A session of
                # its own: a keyboard's interrupt is for us, and we tell it what to do.
                process = subprocess.Popen(
                    [
                        sys.executable,
                        "-I",
                        "-S",
                        "-X",
                        "utf8",
                        str(_PROGRAM),
                        str(theirs.fileno()),
                        str(lock),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.home.path,
                    env={},
                    pass_fds=(theirs.fileno(), lock),
                    start_new_session=True,
                )
        except BaseException:
            ours.close()
            raise
        finally:
            os.close(log)
        return _Running(process, ours, lock)

    def _await(self, names: Sequence[str], timeout_s: float) -> None:
        running = self._must_run()
        until_s = time.monotonic() + timeout_s
        while missing := [name for name in names if name not in running.events.ready]:
            self._raise_for_ended(running)
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                raise self._complaint(missing[0], f"is not ready after {timeout_s:g} s")
            self._listen(running, left_s)

    def _must_run(self) -> _Running:
        if self._running is None:
            raise EmbeddedError(f"the system under {self.home.path} is not started")
        return self._running

    def _listen(self, running: _Running, timeout_s: float | None) -> None:
        """Take what was said; None waits for it without an end."""
        poll = select.poll()
        poll.register(running.control, select.POLLIN)
        while not running.events.is_over and poll.poll(
            None if timeout_s is None else max(timeout_s, 0) * 1000
        ):
            try:
                running.events.take(running.control.recv(65536))
            except ConnectionError:
                running.events.take(b"")
            timeout_s = 0

    def _raise_for_ended(self, running: _Running) -> None:
        if running.events.lost:
            raise HomeLost(running.events.lost)
        for ended in running.events.ended.values():
            raise self._complaint(ended.name, ended.how)
        if running.events.is_over:
            raise self._complaint(WARDEN, "ended")

    def _complaint(self, name: str, what: str) -> ChildEnded:
        log = self.home.log_of(name)
        lines = _last_lines(log, self._logged.get(name, 0))
        tail = f"; the end of {log}:\n{lines}" if lines else f"; {log} says nothing"
        return ChildEnded(name, f"{name} {what}{tail}")

    def _note_log(self, name: str) -> None:
        """Remember where this run's part of a log begins; refuses what is no log of ours."""
        log = open_log(self.home.log_of(name))
        self._logged[name] = os.fstat(log).st_size
        os.close(log)


def _last_lines(path: Path, start: int, count: int = 20) -> str:
    try:
        with path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            # A file that is shorter than this run's began is a new one.
            log.seek(max(start if start <= size else 0, size - 8192))
            text = log.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-count:])


def _await_gone(pids: Iterable[int]) -> None:
    """After an ordinary stop nothing is left. Where the warden was killed, the kernel is ending its children now."""
    until_s = time.monotonic() + _GONE_WITHIN_S
    left = list(pids)
    while left and time.monotonic() < until_s:
        left = [pid for pid in left if tree.is_alive(pid)]
        if left:
            time.sleep(0.01)
