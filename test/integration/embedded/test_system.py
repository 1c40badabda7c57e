"""An embedded system with a real server and real processes: started, watched, ended, and nothing left of it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hysds.embedded.errors import ChildEnded, EmbeddedError, HomeInUse
from hysds.embedded.roles import Company, Patience, Role
from hysds.embedded.system import EmbeddedSystem
from hysds.lib.process.guard.tree import is_alive
from hysds.settings.model import Settings
from hysds.settings.servers import Ledger
from integration.embedded.conftest import ENVIRON, ask, await_end, pids_of, role_argv

_SOON = Patience(server_grace_s=15, orphaned_grace_s=0.2, hurry_s=0.2)


@pytest.fixture
def make(tmp_path: Path, record: Path) -> Iterator[Callable[..., EmbeddedSystem]]:
    """Makes systems in one home, a role for each `name=modes`, ended in that order; nothing may be left of them."""
    made: list[EmbeddedSystem] = []

    def make(grace_s: float = 60.0, **roles: str) -> EmbeddedSystem:
        parts = [
            Role(name, role_argv(name, record, modes), stage, grace_s, "silent" not in modes)
            for stage, (name, modes) in enumerate(roles.items())
        ]
        made.append(EmbeddedSystem(Settings(home=tmp_path / "home"), Company(parts, ENVIRON, _SOON)))
        return made[-1]

    yield make
    for system in made:
        pids = list(system.pids.values())
        system.stop()
        assert [pid for pid in pids if is_alive(pid)] == []


def _orphan(record: Path) -> int:
    (line,) = (line for line in record.read_text().splitlines() if line.startswith("orphan "))
    return int(line.split()[1])


def test_the_server_is_durable_private_and_without_a_port(
    make: Callable[..., EmbeddedSystem], tmp_path: Path
) -> None:
    """It listens on a socket of mode 700 alone, writes every change to disk at once, and evicts nothing."""
    make().start()
    told = ask(
        tmp_path / "home",
        *(f"CONFIG GET {name}" for name in ("port", "appendonly", "appendfsync", "maxmemory-policy", "save")),
    ).split(b"\r\n")

    assert [told[at + 4] for at in range(0, 25, 5)] == [b"0", b"yes", b"always", b"noeviction", b""]
    assert stat.S_IMODE((tmp_path / "home" / "run" / "valkey.sock").stat().st_mode) == 0o700


def test_what_the_ledger_took_is_there_after_a_stop_and_a_kill(
    make: Callable[..., EmbeddedSystem], tmp_path: Path
) -> None:
    """A new system in the same home finds every acknowledged write, also after kill -9 of the server."""
    system = make()
    system.start()
    assert ask(tmp_path / "home", "SET one 1").startswith(b"+OK")
    system.stop()
    system.start()
    assert ask(tmp_path / "home", "SET two 2").startswith(b"+OK")
    os.kill(system.pids["valkey"], signal.SIGKILL)
    system.stop()
    system.start()

    assert ask(tmp_path / "home", "MGET one two").startswith(b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n")


def test_roles_end_stage_by_stage_and_the_server_last(
    make: Callable[..., EmbeddedSystem], record: Path
) -> None:
    """Each is gone before the next is asked, and all can reach the ledger to the end."""
    system = make(worker="keen", reconciler="keen", indexer="keen")
    system.start()
    system.await_roles()
    system.check()
    ended = system.stop()

    assert [(end.name, end.code, end.killed) for end in ended] == [
        (name, 0, False) for name in ("worker", "reconciler", "indexer", "valkey")
    ]
    assert record.read_text().split("\n")[:-1] == [
        f"{name} ends True" for name in ("worker", "reconciler", "indexer")
    ]


def test_what_roles_print_stands_in_their_logs(make: Callable[..., EmbeddedSystem]) -> None:
    """One file a process, for nobody else to read."""
    system = make(worker="fail")
    system.start()
    with pytest.raises(ChildEnded):
        system.await_roles()
    log = system.home.log_of("worker")

    assert log.read_text() == "first line of the failure\nno such thing: x\n"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_role_that_hears_nothing_is_killed(make: Callable[..., EmbeddedSystem], record: Path) -> None:
    """SIGTERM, the grace, SIGTERM, SIGKILL; the others end in order all the same."""
    system = make(grace_s=0.1, worker="deaf", indexer="")
    system.start()
    system.await_roles()
    worker, indexer, _ = system.stop()

    assert (worker.code, worker.killed) == (-signal.SIGKILL, True)
    assert (indexer.code, indexer.killed) == (0, False)


def test_after_the_grace_a_role_is_asked_to_end_at_once(
    make: Callable[..., EmbeddedSystem], record: Path
) -> None:
    """A role that drains for longer than its grace hears a second SIGTERM, and is not killed if it acts on it."""
    system = make(grace_s=0.1, worker="second")
    system.start()
    system.await_roles()
    worker, _ = system.stop()

    assert (worker.code, worker.killed) == (0, False)
    assert record.read_text() == "worker heard\nworker ends\n"


def test_a_stopped_role_ends_too(make: Callable[..., EmbeddedSystem], record: Path) -> None:
    """One that hangs in SIGSTOP is woken to act on its SIGTERM."""
    system = make(worker="")
    system.start()
    system.await_roles()
    os.kill(system.pids["worker"], signal.SIGSTOP)
    worker, _ = system.stop()

    assert (worker.code, worker.killed) == (0, False)


def test_what_a_role_left_behind_ends_with_the_system(
    make: Callable[..., EmbeddedSystem], record: Path
) -> None:
    """A process that daemonized and hears no SIGTERM is gone when `stop` returns."""
    system = make(worker="orphan")
    system.start()
    system.await_roles()
    assert is_alive(_orphan(record))
    system.stop()

    assert not is_alive(_orphan(record))


def test_a_role_that_does_not_start_is_told_with_the_end_of_its_log(
    make: Callable[..., EmbeddedSystem],
) -> None:
    """Its exit code, the log's path and last lines; of this run alone, not of those before."""
    system = make(worker="fail")
    system.home.log.mkdir(parents=True)
    system.home.log_of("worker").write_text("of yesterday\n")
    system.start()
    with pytest.raises(ChildEnded) as told:
        system.await_roles()

    assert told.value.name == "worker"
    assert str(told.value) == (
        f"worker ended with exit code 3; the end of {system.home.log_of('worker')}:\n"
        "first line of the failure\nno such thing: x"
    )


def test_a_role_whose_program_is_missing_is_told(tmp_path: Path) -> None:
    """The reason of the operating system, and the program's name."""
    role = Role("worker", ["/nonexistent/program"], 0)
    with (
        EmbeddedSystem(Settings(home=tmp_path / "home"), Company([role], ENVIRON, _SOON)) as system,
        pytest.raises(ChildEnded, match="worker could not be started: /nonexistent/program: No such file"),
    ):
        system.await_roles()


def test_a_role_that_never_gets_ready_is_told(tmp_path: Path, record: Path) -> None:
    """After the time that the caller gave."""
    role = Role("indexer", role_argv("indexer", record, "silent"), 0)
    with (
        EmbeddedSystem(Settings(home=tmp_path / "home"), Company([role], ENVIRON, _SOON)) as system,
        pytest.raises(ChildEnded, match=r"indexer is not ready after 0\.5 s"),
    ):
        system.await_roles(timeout_s=0.5)


def _check_until_it_fails(system: EmbeddedSystem) -> None:
    """The warden tells of an end a moment after it."""
    while True:
        system.check()


@pytest.mark.parametrize("name", ["worker", "valkey"])
def test_a_process_that_dies_later_is_seen(make: Callable[..., EmbeddedSystem], name: str) -> None:
    """`check` is quiet while all run, and names the one that ended."""
    system = make(worker="")
    system.start()
    system.await_roles()
    system.check()
    pid = system.pids[name]
    os.kill(pid, signal.SIGKILL)
    await_end(pid)
    with pytest.raises(ChildEnded, match=f"{name} was ended by SIGKILL"):
        _check_until_it_fails(system)


def test_a_server_that_can_not_read_its_files_is_told(
    make: Callable[..., EmbeddedSystem], tmp_path: Path
) -> None:
    """A damaged append-only file: the server's own words, nothing runs, and the home can be taken again."""
    system = make(worker="")
    system.start()
    system.stop()
    (manifest,) = (tmp_path / "home" / "valkey" / "appendonlydir").glob("*.manifest")
    manifest.write_text("no manifest\n")

    with pytest.raises(ChildEnded, match=r"(?s)valkey ended with exit code 1.*manifest"):
        system.start()
    assert system.pids == {}
    os.close(system.home.prepare())


def test_one_home_has_one_system(make: Callable[..., EmbeddedSystem]) -> None:
    """The second is told the first's process, and does not disturb it."""
    first, second = make(worker=""), make(worker="")
    first.start()
    with pytest.raises(HomeInUse, match=f"process {os.getpid()}"):
        second.start()
    first.await_roles()

    first.check()
    with pytest.raises(EmbeddedError, match="started already"):
        first.start()


def test_stopping_twice_or_before_the_start_is_nothing(make: Callable[..., EmbeddedSystem]) -> None:
    """Whoever cleans up need not know how far the start came."""
    system = make()
    assert system.stop() == ()
    system.start()
    assert [end.name for end in system.stop()] == ["valkey"]
    assert system.stop() == ()


def test_a_system_with_a_ledger_elsewhere_has_nothing_to_start(tmp_path: Path) -> None:
    """Settings that name a server, or two roles of one name, are a mistake of the caller."""
    with pytest.raises(ValueError, match="name a ledger"):
        EmbeddedSystem(Settings(tmp_path, ledger=Ledger(url="redis://127.0.0.1:6379/0")), Company([], {}))
    with pytest.raises(ValueError, match="one name"):
        EmbeddedSystem(Settings(tmp_path), Company([Role("valkey", ["x"], 0)], {}))


@pytest.mark.parametrize("modes", [[], ["deaf", "orphan"], ["second"]], ids=["tame", "deaf", "slow"])
def test_kill_9_of_the_parent_leaves_nothing_running(
    hold: Callable[..., subprocess.Popen[bytes]],
    make: Callable[..., EmbeddedSystem],
    record: Path,
    modes: list[str],
) -> None:
    """Whatever the roles do, all of them, what they left, the server and the warden end; the home is free after it."""
    holder = hold(*modes)
    pids = pids_of(holder)
    holder.kill()
    holder.wait()
    for pid in pids.values():
        await_end(pid)

    assert not any(is_alive(pid) for pid in pids.values())
    if "orphan" in modes:
        assert not is_alive(_orphan(record))
    make().start()


def test_kill_9_of_the_parent_still_ends_in_order(
    hold: Callable[..., subprocess.Popen[bytes]], record: Path
) -> None:
    """The roles are asked, and the ledger answers them until they have ended."""
    holder = hold("keen")
    pids = pids_of(holder)
    holder.kill()
    await_end(pids["warden"])

    assert record.read_text() == "worker ends True\n"


def test_kill_9_of_the_warden_leaves_nothing_running(
    hold: Callable[..., subprocess.Popen[bytes]], make: Callable[..., EmbeddedSystem]
) -> None:
    """The kernel ends its children; their parent's `stop` returns when they are gone, and the home is free."""
    holder = hold("deaf")
    pids = pids_of(holder)
    os.kill(pids["warden"], signal.SIGKILL)
    holder.communicate()
    assert not any(is_alive(pid) for pid in pids.values())

    make().start()


def test_sigterm_to_the_warden_ends_in_order(
    hold: Callable[..., subprocess.Popen[bytes]], record: Path
) -> None:
    """As a stop would."""
    holder = hold("keen")
    pids = pids_of(holder)
    os.kill(pids["warden"], signal.SIGTERM)
    await_end(pids["valkey"])

    assert record.read_text() == "worker ends True\n"
    assert holder.communicate()[0] == b""


def test_while_the_rest_of_a_killed_system_ends_the_home_is_not_free(
    hold: Callable[..., subprocess.Popen[bytes]], make: Callable[..., EmbeddedSystem]
) -> None:
    """The warden holds the lock with its parent: nobody starts a second server over the first one's files."""
    holder = hold()
    pids = pids_of(holder)
    os.kill(pids["warden"], signal.SIGSTOP)
    holder.kill()
    holder.wait()

    with pytest.raises(HomeInUse, match=f"process {pids['warden']}"):
        make().start()
    os.kill(pids["warden"], signal.SIGCONT)
    await_end(pids["warden"])
    make().start()


def test_an_interrupt_while_it_stops_makes_it_hurry(
    hold: Callable[..., subprocess.Popen[bytes]], record: Path
) -> None:
    """The grace of ten minutes is cut short: the role is asked to end at once, and nothing is left."""
    record.unlink()
    os.mkfifo(record)
    with os.fdopen(os.open(record, os.O_RDWR)) as heard:
        holder = hold("second")
        pids = pids_of(holder)
        assert holder.stdin is not None
        holder.stdin.close()
        assert heard.readline() == "worker heard\n"
        holder.send_signal(signal.SIGINT)
        assert heard.readline() == "worker ends\n"
    holder.wait()

    assert not any(is_alive(pid) for pid in pids.values())


def test_roles_have_the_umask_of_whoever_starts_them(tmp_path: Path) -> None:
    """The server's files are private; what a job makes is up to the user."""
    before = os.umask(0o027)
    try:
        argv = [
            "/bin/sh",
            "-c",
            "umask > mask; echo ready > /proc/self/fd/$HYSDS_READY_FD; exec sleep infinity",
        ]
        role = Role("worker", argv, 0)
        system = EmbeddedSystem(Settings(home=tmp_path / "home"), Company([role], ENVIRON, _SOON))
        system.start()
        system.await_roles()
    finally:
        os.umask(before)
    system.stop()

    assert {path.stat().st_mode & 0o077 for path in system.home.data.rglob("*")} == {0}
    assert (tmp_path / "home" / "mask").read_text() == "0027\n"


def test_a_keyboards_interrupt_is_for_the_parent_alone(
    hold: Callable[..., subprocess.Popen[bytes]], record: Path
) -> None:
    """Server, roles and warden are in a session of their own: who holds the system decides when they end."""
    pids = pids_of(hold())
    here = os.getsid(0)

    assert here not in {os.getsid(pid) for pid in pids.values()}
