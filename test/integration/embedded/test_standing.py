"""A system that stands: what ends is started again, nobody's death loses it, and it is asked on its socket."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hysds.embedded import standing
from hysds.embedded.errors import ChildEnded, HomeInUse, HomeLost, NoAnswer
from hysds.embedded.events import Ended
from hysds.embedded.home import Home
from hysds.embedded.roles import Company, Patience, Role
from hysds.embedded.standing import Process
from hysds.embedded.system import EmbeddedSystem
from hysds.embedded.warden.plan import Rotation
from hysds.lib.process.guard import tree
from hysds.settings.model import Settings
from integration.embedded.conftest import ENVIRON, ask, await_end, pids_of, role_argv

_PATIENCE_S = 60
_SOON = Patience(server_grace_s=15, orphaned_grace_s=0.2, hurry_s=0.2)
Hold = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def stand(home: Home, record: Path) -> Iterator[Callable[..., EmbeddedSystem]]:
    """Starts a system that stands, a role for each `name=modes`, ended in that order."""
    made: list[EmbeddedSystem] = []

    def stand(detached: bool = False, rotation: Rotation | None = None, **roles: str) -> EmbeddedSystem:
        parts = [
            Role(name, role_argv(name, record, modes), stage, 60)
            for stage, (name, modes) in enumerate(roles.items())
        ]
        company = Company(parts, ENVIRON, _SOON, rotation or Rotation(), stands=True)
        system = EmbeddedSystem(Settings(home=home.path), company)
        made.append(system)
        system.start()
        system.await_roles()
        system.stand(detached)
        return system

    yield stand
    for system in made:
        system.stop()


def _process(home: Home, name: str) -> Process:
    found = standing.state(home)
    assert found is not None
    return next(process for process in found.processes if process.name == name)


def _until(home: Home, name: str, holds: Callable[[Process], bool]) -> Process:
    """The process as its warden tells of it, once this holds."""
    end = time.monotonic() + _PATIENCE_S
    while not holds(process := _process(home, name)):
        assert time.monotonic() < end, process
    return process


def _kill(home: Home, name: str) -> int:
    pid = _process(home, name).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


class _Enough(Exception):
    """A test has seen what it waited for."""


def _ends(system: EmbeddedSystem, count: int) -> list[Ended]:
    """The next ends of processes."""
    seen: list[Ended] = []

    def told(end: Ended) -> None:
        seen.append(end)
        if len(seen) == count:
            raise _Enough

    with pytest.raises(_Enough):
        system.attend(told)
    return seen


def test_a_killed_role_is_started_again(stand: Callable[..., EmbeddedSystem], home: Home) -> None:
    """The state tells its new pid, how often it was started again and how the last one ended; the others stay."""
    system = stand(worker="", indexer="")
    before = _process(home, "indexer")
    pid = _kill(home, "worker")
    worker = _until(home, "worker", lambda process: process.restarts == 1 and process.is_ready)

    assert worker.pid not in (None, pid)
    assert worker.last_end is not None
    assert worker.last_end.how == "was ended by SIGKILL"
    assert (_process(home, "indexer").pid, _process(home, "indexer").restarts) == (before.pid, 0)
    assert {end.name: end.code for end in system.stop()} == {"worker": 0, "indexer": 0, "valkey": 0}


def test_a_killed_server_comes_back_with_its_data(stand: Callable[..., EmbeddedSystem], home: Home) -> None:
    """Every acknowledged write is there; roles, which connect again by themselves, are left alone."""
    stand(worker="")
    assert ask(home.path, "SET one 1").startswith(b"+OK")
    worker = _process(home, "worker").pid
    _kill(home, "valkey")
    _until(home, "valkey", lambda process: process.restarts == 1 and process.is_ready)

    assert ask(home.path, "GET one").startswith(b"$1\r\n1\r\n")
    assert _process(home, "worker").pid == worker


def test_a_role_that_does_not_stay_is_started_ever_later(
    stand: Callable[..., EmbeddedSystem], home: Home, record: Path
) -> None:
    """Each end is told, with the delay, which doubles; when its reason is gone it runs."""
    system = stand(worker="broken")
    broken = record.with_name("record.broken")
    broken.touch()
    _kill(home, "worker")
    ends = _ends(system, 3)
    broken.unlink()
    worker = _until(home, "worker", lambda process: process.is_ready)

    assert [(end.code, end.again_s) for end in ends] == [(-signal.SIGKILL, 0.1), (4, 0.2), (4, 0.4)]
    assert worker.restarts >= 3


def test_a_role_waits_for_the_server_before_it_starts_again(
    stand: Callable[..., EmbeddedSystem], home: Home
) -> None:
    """Both were killed: the server is not to be read as away by a role that is started beside it."""
    stand(worker="keen")
    os.kill(_process(home, "valkey").pid or 0, signal.SIGSTOP)
    server = _process(home, "valkey").pid or 0
    _kill(home, "worker")
    os.kill(server, signal.SIGKILL)
    worker = _until(home, "worker", lambda process: process.restarts == 1 and process.is_ready)
    lines = home.log_of("warden").read_text().splitlines()
    second = [line for line in lines if '"ready": "valkey"' in line][1]

    assert worker.restarts == 1
    assert lines.index(second) < max(at for at, line in enumerate(lines) if '"started": "worker"' in line)


def test_a_server_that_dies_while_roles_end_comes_back_for_them(
    stand: Callable[..., EmbeddedSystem], home: Home, record: Path
) -> None:
    """A role that drains can still tell the ledger what became of its jobs."""
    record.unlink()
    os.mkfifo(record)
    with os.fdopen(os.open(record, os.O_RDWR)) as heard:
        stand(detached=True, worker="second keen")
        stopping = threading.Thread(target=lambda: list(standing.stop(home)))
        stopping.start()
        assert heard.readline() == "worker heard\n"
        _kill(home, "valkey")
        _until(home, "valkey", lambda process: process.restarts == 1 and process.is_ready)
        list(standing.stop(home, hurry=True))
        stopping.join()

        assert heard.readline() == "worker ends True\n"


def test_a_part_that_ends_before_all_are_ready_is_told_and_nothing_is_left(home: Home, record: Path) -> None:
    """A first start that fails is no case for a second one."""
    role = Role("worker", role_argv("worker", record, "fail"), 0)
    system = EmbeddedSystem(Settings(home=home.path), Company([role], ENVIRON, _SOON, stands=True))
    system.start()
    with pytest.raises(ChildEnded, match="no such thing: x"):
        system.await_roles()
    pids = list(system.pids.values())
    system.stop()

    assert not any(tree.is_alive(pid) for pid in pids)
    assert standing.state(home) is None
    assert not home.is_locked()


def test_a_detached_system_outlives_who_started_it(hold: Hold, home: Home) -> None:
    """It goes on without its parent and after SIGHUP, in a session of its own, with no terminal, pipe or file of it."""
    holder = hold("detach")
    pids = pids_of(holder)
    assert holder.wait() == 0
    os.kill(pids["warden"], signal.SIGHUP)
    found = standing.state(home)

    assert found is not None
    assert (found.pid, found.phase, found.is_standing, found.is_detached) == (
        pids["warden"],
        "running",
        True,
        True,
    )
    assert {process.name: process.pid for process in found.processes} | {"warden": found.pid} == pids
    assert os.getsid(0) not in {os.getsid(pid) for pid in pids.values()}
    theirs = os.readlink(f"/proc/{os.getpid()}/fd/{holder.stdout.fileno()}") if holder.stdout else ""
    for pid in pids.values():
        links = [_link(pid, fd) for fd in os.listdir(f"/proc/{pid}/fd")]
        assert theirs not in links
        assert not any("tty" in link or "/pts/" in link for link in links)


def test_a_detached_system_ends_in_order_when_it_is_told(hold: Hold, home: Home, record: Path) -> None:
    """`stop` yields each end and returns when nothing lives and the home is free."""
    holder = hold("detach", "keen")
    pids = pids_of(holder)
    holder.wait()
    ended = list(standing.stop(home))

    assert [(end.name, end.code, end.killed) for end in ended] == [("worker", 0, False), ("valkey", 0, False)]
    assert record.read_text() == "worker ends True\n"
    assert not any(tree.is_alive(pid) for pid in pids.values())
    os.close(home.prepare())


@pytest.mark.parametrize("victims", [["warden"], ["warden", "worker", "valkey"]], ids=["warden", "all"])
def test_kill_9_of_a_detached_system_leaves_its_data_and_a_free_home(
    hold: Hold, home: Home, stand: Callable[..., EmbeddedSystem], victims: list[str]
) -> None:
    """Of the warden alone or of everything at once, as when the machine dies: the next start goes on."""
    holder = hold("detach", "deaf")
    pids = pids_of(holder)
    holder.wait()
    assert ask(home.path, "SET one 1").startswith(b"+OK")
    for name in victims:
        os.kill(pids[name], signal.SIGKILL)
    stand(worker="")

    assert not any(tree.is_alive(pid) for pid in pids.values())
    assert ask(home.path, "GET one").startswith(b"$1\r\n1\r\n")


def test_the_server_holds_the_home_itself(stand: Callable[..., EmbeddedSystem], home: Home) -> None:
    """A killed warden lets go of its lock before its children have died: no second server may open the files then."""
    stand()
    pid = _process(home, "valkey").pid or 0

    assert str(home.run / "embedded.lock") in [_link(pid, fd) for fd in os.listdir(f"/proc/{pid}/fd")]


def test_logs_keep_every_line_over_files_of_bounded_size(
    stand: Callable[..., EmbeddedSystem], home: Home
) -> None:
    """Three lives of a role that prints a lot: whole lines in order, and no more than the plan allows."""
    system = stand(rotation=Rotation(most_bytes=20_000, files=3), worker="wordy")
    for life in (1, 2):
        _kill(home, "worker")
        _until(home, "worker", lambda process, life=life: process.restarts == life and process.is_ready)  # type: ignore[misc]
    system.stop()
    files = sorted(home.log.glob("worker.log*"), reverse=True)
    text = b"".join(path.read_bytes() for path in files)
    printed = b"".join(b"line %d\n" % number for number in range(3_000))

    assert [path.name for path in files] == ["worker.log.2", "worker.log.1", "worker.log"]
    assert len(text) > 40_000
    assert (printed * 3).endswith(text)
    assert all(path.stat().st_size < 20_000 + 70_000 for path in files)


def test_who_only_connects_holds_nothing_up(stand: Callable[..., EmbeddedSystem], home: Home) -> None:
    """A client that says nothing, one that asks and never reads, one that talks nonsense: the system goes on."""
    system = stand(worker="")
    connections = [socket.socket(socket.AF_UNIX) for _ in range(3)]
    for connection in connections:
        connection.connect(str(home.door))
    connections[1].sendall(b'{"tell": "state"}\n' * 3_000)
    connections[2].sendall(b"GET / HTTP/1.1\r\n\r\n")
    _kill(home, "worker")
    _until(home, "worker", lambda process: process.restarts == 1 and process.is_ready)

    assert [end.code for end in system.stop()] == [0, 0]
    for connection in connections:
        connection.close()


def test_a_home_that_is_removed_ends_its_system_and_nothing_of_the_next(
    stand: Callable[..., EmbeddedSystem], hold: Hold, home: Home
) -> None:
    """The warden notices by itself; the one that came after under the same path keeps its sockets, and is not told."""
    first = stand(worker="")
    pids = dict(first.pids)
    shutil.rmtree(home.path)
    pids_of(hold("detach"))
    second = standing.state(home)
    assert second is not None
    with pytest.raises(HomeLost, match=r"was (removed|replaced) while the system ran"):
        first.attend(lambda end: None)
    for pid in pids.values():
        await_end(pid)

    assert standing.state(home) is not None
    assert ask(home.path, "PING").startswith(b"+PONG")
    assert home.mark.exists()
    assert {one.pid for one in second.processes}.isdisjoint(pids.values())


@pytest.mark.parametrize("name", ["embedded.lock", "warden.sock"])
def test_a_warden_whose_lock_or_socket_is_removed_ends_all(
    stand: Callable[..., EmbeddedSystem], home: Home, name: str
) -> None:
    """Nobody could reach it any more, or somebody else take the home; what was acknowledged is there afterwards."""
    system = stand(worker="")
    assert ask(home.path, "SET one 1").startswith(b"+OK")
    (home.run / name).unlink()
    with pytest.raises(HomeLost):
        system.attend(lambda end: None)
    assert '"lost": ' in home.log_of("warden").read_text()
    system.stop()
    stand(worker="")

    assert ask(home.path, "GET one").startswith(b"$1\r\n1\r\n")


def test_only_a_system_that_did_not_end_in_order_leaves_its_mark(
    stand: Callable[..., EmbeddedSystem], home: Home
) -> None:
    """While it runs, and after kill -9 of its warden; not after a stop."""
    stand(worker="").stop()
    assert home.crashed_s() is None
    system = stand(worker="")
    warden = system.pids["warden"]
    os.kill(warden, signal.SIGKILL)
    with pytest.raises(ChildEnded):
        system.attend(lambda end: None)
    system.stop()

    assert home.crashed_s() is not None


def test_a_warden_that_hangs_is_told_apart_from_none(
    stand: Callable[..., EmbeddedSystem], home: Home
) -> None:
    """Stopped, it answers nobody: an error that names a process, and the home is not free."""
    stand()
    warden = standing.state(home)
    assert warden is not None
    os.kill(warden.pid, signal.SIGSTOP)
    try:
        with pytest.raises(NoAnswer, match="hangs or is stopped"):
            standing.state(home, timeout_s=0.1)
        with pytest.raises(HomeInUse):
            home.prepare()
    finally:
        os.kill(warden.pid, signal.SIGCONT)


def test_nothing_that_runs_is_no_error(home: Home) -> None:
    """Asked for its state there is none, asked to stop there is nothing to do; no file is made."""
    assert standing.state(home) is None
    assert list(standing.stop(home)) == []
    assert not home.path.exists()


def _link(pid: int, fd: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/fd/{fd}")
    except FileNotFoundError:
        return ""
