"""The files of an embedded system: private, locked, and never somebody else's."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hysds.embedded.errors import ForeignFiles, HomeInUse
from hysds.embedded.home import Home, open_log


@pytest.fixture
def prepare() -> Iterator[Callable[[Home], int]]:
    """Prepares homes; the locks are given back at the end."""
    locks: list[int] = []

    def prepare(home: Home) -> int:
        locks.append(home.prepare())
        return locks[-1]

    yield prepare
    for lock in locks:
        os.close(lock)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _files(path: Path) -> dict[str, bytes | None]:
    return {
        str(found.relative_to(path)): found.read_bytes() if found.is_file() else None
        for found in path.rglob("*")
    }


def test_a_new_home_is_nobody_elses_to_look_into(tmp_path: Path, prepare: Callable[[Home], int]) -> None:
    """Home and all directories in it have mode 700, whatever the umask; the lock file has 600."""
    home = Home(tmp_path / "deep" / "home")
    before = os.umask(0)
    try:
        prepare(home)
    finally:
        os.umask(before)

    assert [_mode(path) for path in (home.path, home.run, home.log, home.data)] == [0o700] * 4
    assert _mode(home.run / "embedded.lock") == 0o600


def test_directories_that_were_opened_are_closed_again(
    tmp_path: Path, prepare: Callable[[Home], int]
) -> None:
    """Our own directories get mode 700 back; a home that exists keeps its mode."""
    home = Home(tmp_path / "home")
    home.path.mkdir(mode=0o755)
    home.run.mkdir()
    home.run.chmod(0o777)
    prepare(home)

    assert (_mode(home.path), _mode(home.run)) == (0o755, 0o700)


def test_a_home_is_used_by_one_system_at_a_time(tmp_path: Path, prepare: Callable[[Home], int]) -> None:
    """The second is told which process has it, and gets it when the first lets go."""
    home = Home(tmp_path / "home")
    lock = home.prepare()
    with pytest.raises(HomeInUse, match=f"in use by process {os.getpid()}") as told:
        Home(tmp_path / "home").prepare()
    assert told.value.pid == os.getpid()
    os.close(lock)

    prepare(home)


def test_of_several_holders_one_that_lives_is_named(tmp_path: Path, prepare: Callable[[Home], int]) -> None:
    """When whoever started it is dead, the next of those that hold the lock is told."""
    home = Home(tmp_path / "home")
    home.note_holders(prepare(home), 2**22 + 1, os.getpid())

    with pytest.raises(HomeInUse) as told:
        home.prepare()
    assert told.value.pid == os.getpid()


def test_data_of_another_application_are_refused_and_left_alone(tmp_path: Path) -> None:
    """A data file that is not marked as ours: an error that names it, and every file as it was."""
    home = Home(tmp_path / "home")
    home.data.mkdir(parents=True)
    (home.data / "dump.rdb").write_bytes(b"REDIS0011 of somebody")

    with pytest.raises(ForeignFiles, match=r"dump\.rdb"):
        home.prepare()

    assert _files(home.data) == {"dump.rdb": b"REDIS0011 of somebody"}


def test_data_of_another_version_are_refused(tmp_path: Path, prepare: Callable[[Home], int]) -> None:
    """A mark that this version does not write is left to the version that does."""
    home = Home(tmp_path / "home")
    os.close(home.prepare())
    (home.data / "hysds-ledger").write_text("2\n")

    with pytest.raises(ForeignFiles, match="another version"):
        home.prepare()


@pytest.mark.parametrize("name", ["run", "log", "valkey"])
def test_a_file_where_a_directory_must_be_is_refused(tmp_path: Path, name: str) -> None:
    """The file keeps its content, and the message says which it is."""
    home = Home(tmp_path / "home")
    home.path.mkdir()
    (home.path / name).write_text("a list")

    with pytest.raises(ForeignFiles, match=f"{name} is no directory"):
        home.prepare()
    assert (home.path / name).read_text() == "a list"


@pytest.mark.parametrize("name", ["run", "log", "valkey"])
def test_a_link_where_a_directory_must_be_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing is written, and no mode changed, behind a link."""
    home = Home(tmp_path / "home")
    home.path.mkdir()
    target = tmp_path / "elsewhere"
    target.mkdir(mode=0o755)
    (home.path / name).symlink_to(target)

    with pytest.raises(ForeignFiles, match="is no directory"):
        home.prepare()
    assert (_files(target), _mode(target)) == ({}, 0o755)


@pytest.mark.parametrize("name", ["home", "home/sub"])
def test_a_home_that_is_a_file_or_below_one_is_refused(tmp_path: Path, name: str) -> None:
    """The message names the path."""
    (tmp_path / "home").write_text("a list")

    with pytest.raises(ForeignFiles, match=str(tmp_path / name)):
        Home(tmp_path / name).prepare()


def test_a_home_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    """Who can rename our directories could put others in their place; the message says how to mend it."""
    home = Home(tmp_path / "home")
    home.path.mkdir()
    home.path.chmod(0o777)

    with pytest.raises(ForeignFiles, match="chmod go-w"):
        home.prepare()


def test_a_file_in_the_place_of_the_socket_is_refused(tmp_path: Path) -> None:
    """The server would delete whatever has that name: a file that is no socket stays."""
    home = Home(tmp_path / "home")
    home.run.mkdir(parents=True)
    home.socket.write_text("a list")

    with pytest.raises(ForeignFiles, match="is no socket"):
        home.prepare()
    assert home.socket.read_text() == "a list"


def test_a_socket_that_a_killed_server_left_is_cleared(
    tmp_path: Path, prepare: Callable[[Home], int]
) -> None:
    """With the lock in hand, a socket there belongs to nobody."""
    home = Home(tmp_path / "home")
    home.run.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(home.socket))
    prepare(home)

    assert not home.socket.exists()


def test_a_refusal_gives_the_lock_back(tmp_path: Path, prepare: Callable[[Home], int]) -> None:
    """After the foreign file was moved away the home can be used."""
    home = Home(tmp_path / "home")
    home.data.mkdir(parents=True)
    foreign = home.data / "dump.rdb"
    foreign.touch()
    with pytest.raises(ForeignFiles):
        home.prepare()
    foreign.unlink()

    prepare(home)


def test_a_home_whose_socket_path_is_too_long_is_refused(tmp_path: Path) -> None:
    """The kernel has 107 bytes for it: the message says how many there are, and nothing is made."""
    home = Home(tmp_path / ("ä" * 50) / "home")

    with pytest.raises(ForeignFiles, match="107"):
        home.prepare()
    assert not home.path.exists()


@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_a_log_is_a_plain_file(tmp_path: Path, kind: str) -> None:
    """What stands in a log's place and is none is refused, without waiting for anybody."""
    log = tmp_path / "worker.log"
    target = tmp_path / "target"
    target.write_text("theirs")
    make: dict[str, Callable[[], object]] = {
        "link": lambda: log.symlink_to(target),
        "pipe": lambda: os.mkfifo(log),
        "directory": log.mkdir,
    }
    make[kind]()

    with pytest.raises(ForeignFiles, match="no plain file"):
        open_log(log)
    assert target.read_text() == "theirs"
