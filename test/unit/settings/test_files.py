"""Which settings file counts, and whose code is executed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hysds.core.errors import InvalidSettings
from hysds.settings import load


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home directory with a settings file of its own: three slots."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "hysds.toml").write_text("[worker]\nslots = 3\n")
    return home


def slots(home: Path, directory: Path, **variables: str) -> int:
    """What the one setting in question is after loading."""
    return load.load(None, {"HYSDS_HOME": str(home)} | variables, directory).settings.worker.slots


def write_config(path: Path, mode: int = 0o600) -> Path:
    """A celeryconfig.py with two slots."""
    path.write_text("worker_concurrency = 2\n")
    path.chmod(mode)
    return path


def test_the_named_file_comes_before_those_that_are_found(home: Path, tmp_path: Path) -> None:
    """HYSDS_CONFIG, then ./celeryconfig.py, then hysds.toml under the home directory; one of them is read."""
    assert slots(home, tmp_path) == 3

    write_config(tmp_path / "celeryconfig.py")
    assert slots(home, tmp_path) == 2

    (tmp_path / "mine.toml").write_text("[worker]\nslots = 1\n")
    assert slots(home, tmp_path, HYSDS_CONFIG="mine.toml") == 1


def test_an_empty_name_means_no_file(home: Path, tmp_path: Path) -> None:
    """So that a process can be started without what lies around."""
    write_config(tmp_path / "celeryconfig.py")

    result = load.load(None, {"HYSDS_HOME": str(home), "HYSDS_CONFIG": ""}, tmp_path)

    assert result.file is None
    assert result.origins["worker.slots"] == "default"


@pytest.mark.parametrize("mode", [0o602, 0o666])
def test_a_found_file_that_everybody_can_write_is_not_executed(home: Path, tmp_path: Path, mode: int) -> None:
    """Whoever can write to it could run code as us; it is passed over, and said so."""
    file = write_config(tmp_path / "celeryconfig.py", mode)

    result = load.load(None, {"HYSDS_HOME": str(home)}, tmp_path)

    assert result.settings.worker.slots == 3
    assert [(notice.source, "others can write" in notice.message) for notice in result.notices] == [
        (str(file), True)
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to a group that it is not in")
@pytest.mark.parametrize(("group_id", "expected"), [(12345, 3), (0, 2)])
def test_a_found_file_that_a_group_can_write_counts_only_for_ones_own_group(
    home: Path, tmp_path: Path, group_id: int, expected: int
) -> None:
    """Many systems give each user a group of its own and make files writable by it."""
    os.chown(write_config(tmp_path / "celeryconfig.py", 0o664), 0, group_id)

    assert slots(home, tmp_path) == expected


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("gives_away", ["the file", "the link"])
def test_a_found_file_of_another_user_is_not_executed(home: Path, tmp_path: Path, gives_away: str) -> None:
    """Neither a stranger's file nor a stranger's link to a file of ours."""
    file = write_config(tmp_path / "real.py")
    link = tmp_path / "celeryconfig.py"
    link.symlink_to(file)
    os.chown(file if gives_away == "the file" else link, 12345, 12345, follow_symlinks=False)

    result = load.load(None, {"HYSDS_HOME": str(home)}, tmp_path)

    assert result.settings.worker.slots == 3
    assert "another user" in str(result.notices[0])


def test_ones_own_link_to_ones_own_file_is_followed(home: Path, tmp_path: Path) -> None:
    """Sites keep the file under version control and link to it."""
    (tmp_path / "celeryconfig.py").symlink_to(write_config(tmp_path / "real.py"))

    assert slots(home, tmp_path) == 2


def test_a_dangling_link_is_passed_over_with_a_notice(home: Path, tmp_path: Path) -> None:
    """It is not there, but somebody thinks that it is."""
    (tmp_path / "celeryconfig.py").symlink_to(tmp_path / "gone.py")

    result = load.load(None, {"HYSDS_HOME": str(home)}, tmp_path)

    assert result.settings.worker.slots == 3
    assert "can't be read" in str(result.notices[0])


def test_a_named_file_is_read_whoever_owns_it(home: Path, tmp_path: Path) -> None:
    """The operator chose it, such as one under /etc that belongs to root."""
    file = write_config(tmp_path / "site.py", 0o664)

    assert slots(home, tmp_path, HYSDS_CONFIG=str(file)) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[worker]\nslot = 3\n", "worker.slot: no such setting; did you mean worker.slots?"),
        (b"[wroker]\nslots = 3\n", "wroker.slots: no such setting; did you mean worker.slots?"),
        (b"slots = 3\n", "slots: no such setting"),
        (b"[logs]\nmemory = '10 Gib'\n", "logs.memory: '10 Gib' is not a size"),
        (b"[worker]\nslots = true\n", "worker.slots: a whole number is needed"),
        (b"[worker]\nslots = { a = 1 }\n", "worker.slots: a whole number is needed"),
        (b"[worker]\nqueues = []\n", "worker.queues: a list of texts is needed"),
        (b"[worker]\nslots = 1\nslots = 2\n", "not TOML"),
        (b"home = '/x'\n", "set HYSDS_HOME instead"),
        (b"\xff\xfe", "not TOML"),
        (b"[ledger]\nurl = 'http://u:pw@h'\n", "ledger.url: the URL begins with none of"),
        (b"#" * (2**20 + 1), "larger than 1 MiB"),
    ],
)
def test_a_mistake_in_a_file_names_the_file_and_the_name(home: Path, content: bytes, message: str) -> None:
    """And the nearest known name; a key given twice is TOML's own mistake."""
    file = home / "hysds.toml"
    file.write_bytes(content)

    with pytest.raises(InvalidSettings) as caught:
        load.load(None, {"HYSDS_HOME": str(home)}, home)

    assert str(caught.value).startswith(str(file))
    assert message in str(caught.value)


def test_a_home_that_can_not_be_looked_into_is_a_complaint(tmp_path: Path) -> None:
    """Not a traceback: another's home, or a name that is too long, is a mistake in a setting."""
    with pytest.raises(InvalidSettings, match=r"hysds.toml: .*; set HYSDS_HOME"):
        load.load(None, {"HYSDS_HOME": str(tmp_path / ("x" * 300))}, tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
def test_a_home_of_somebody_else_is_a_complaint(tmp_path: Path) -> None:
    """It can't be seen whether there is a file, so nobody pretends that there is none."""
    (tmp_path / "closed").mkdir(0)

    with pytest.raises(InvalidSettings, match="Permission denied; set HYSDS_HOME"):
        load.load(None, {"HYSDS_HOME": str(tmp_path / "closed" / "home")}, tmp_path)


@pytest.mark.parametrize("name", ["nonexistent", "nonexistent.toml", "nonexistent.py"])
def test_a_named_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path, name: str) -> None:
    """Whatever its name ends in."""
    with pytest.raises(InvalidSettings, match=f"{name}: no such file"):
        load.load(None, {"HYSDS_CONFIG": name}, tmp_path)


def test_a_named_file_may_say_where_the_home_is(tmp_path: Path) -> None:
    """It is not found through it."""
    file = tmp_path / "site.toml"
    file.write_text("home = 'state'\n")

    result = load.load(None, {"HYSDS_CONFIG": str(file)}, tmp_path)

    assert result.settings.home == tmp_path / "state"
    assert result.origins["home"] == f"{file}: home"
