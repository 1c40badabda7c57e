"""An embedded system as its user sees it: start, wait until the roles are ready, look after it, stop.

Everything runs below a warden (`hysds.embedded.warden`), which ends it in order when told, and also when this process
is killed. The lock of the home is held by both, so nobody takes the home while anything still runs in it.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from hysds.embedded import roles as plans
from hysds.embedded import valkey
from hysds.embedded.errors import ChildEnded, EmbeddedError
from hysds.embedded.events import Ended, Events
from hysds.embedded.home import Home, open_log
from hysds.embedded.roles import Patience, Role
from hysds.embedded.warden.plan import SERVER, line
from hysds.lib.process.guard import tree
from hysds.settings.model import Settings

_WARDEN = "warden"
_PROGRAM = Path(__file__).parent / "warden"
_GONE_WITHIN_S = 10.0


@dataclass(slots=True)
class _Running:
    """What there is between start and stop."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    lock: int
    events: Events = field(default_factory=Events)


class EmbeddedSystem:
    """The server and the roles of one home. For one thread; `with` starts it and stops it."""

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        roles: Sequence[Role],
        patience: Patience | None = None,
    ) -> None:
        """`environ`: the whole environment of server and roles, from which roles load these settings.

        Raises: ValueError where the settings name a ledger elsewhere, or two roles have one name.
        """
        if settings.ledger.url is not None:
            raise ValueError("the settings name a ledger, so there is none to start")
        names = [SERVER, _WARDEN, *(role.name for role in roles)]
        if len(set(names)) < len(names):
            raise ValueError(f"two processes of one name among {names}")
        self.home = Home(settings.home)
        self._environ = dict(environ)
        self._roles = tuple(roles)
        self._patience = patience or Patience()
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
        return alive | {_WARDEN: self._running.process.pid}

    def start(self, timeout_s: float = 60.0) -> None:
        """Start the server, and the roles as soon as it answers; returns then. The roles are not ready yet.

        Raises: ForeignFiles, HomeInUse, NoServer, ChildEnded; OSError where the file system refuses.
        """
        if self._running is not None:
            raise EmbeddedError(f"the system under {self.home.path} is started already")
        server = valkey.program(self._environ.get("PATH", os.defpath))
        lock = self.home.prepare()
        try:
            for name in (SERVER, _WARDEN, *(role.name for role in self._roles)):
                self._note_log(name)
            self._running = running = self._launch(lock)
        except BaseException:
            os.close(lock)
            raise
        try:
            self.home.note_holders(lock, os.getpid(), running.process.pid)
            running.control.sendall(
                plans.plan(server, self.home, self._roles, self._environ, self._patience).encode()
            )
            self._await([SERVER], timeout_s)
        except BaseException:
            self.stop()
            raise

    def await_roles(self, timeout_s: float = 60.0) -> None:
        """Until every role that tells its readiness is ready.

        Raises: ChildEnded where one ended instead, or is not ready in time.
        """
        self._await([role.name for role in self._roles if role.tells_ready], timeout_s)

    def check(self) -> None:
        """Whether everything still runs; costs one look.

        Raises: ChildEnded for the first process that ended by itself, with the end of its log.
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
        graces_s = sum(role.grace_s for role in self._roles) + self._patience.server_grace_s
        until_s = time.monotonic() + graces_s + (len(self._roles) + 1) * (2 * self._patience.hurry_s + 5) + 10
        try:
            running.control.sendall(line({"stop": True}))
        except OSError:
            return  # the warden is dead, and with it its children
        while not running.events.is_over and time.monotonic() < until_s:
            self._listen(running, until_s - time.monotonic())
        if not running.events.is_over:
            running.process.kill()

    def _launch(self, lock: int) -> _Running:
        ours, theirs = socket.socketpair()
        log = open_log(self.home.log_of(_WARDEN))
        try:
            with theirs:
                # Isolated and without site: it starts fast, stays small, and nobody's packages enter it. A session of
                # its own: a keyboard's interrupt is for us, and we tell it what to do.
                process = subprocess.Popen(
                    [sys.executable, "-I", "-S", "-X", "utf8", str(_PROGRAM), str(theirs.fileno())],
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

    def _listen(self, running: _Running, timeout_s: float) -> None:
        poll = select.poll()
        poll.register(running.control, select.POLLIN)
        while not running.events.is_over and poll.poll(max(timeout_s, 0) * 1000):
            try:
                running.events.take(running.control.recv(65536))
            except ConnectionError:
                running.events.take(b"")
            timeout_s = 0

    def _raise_for_ended(self, running: _Running) -> None:
        for ended in running.events.ended.values():
            raise self._complaint(ended.name, ended.how)
        if running.events.is_over:
            raise self._complaint(_WARDEN, "ended")

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
            log.seek(max(start, size - 8192))
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
