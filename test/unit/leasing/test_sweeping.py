"""Directories of purged jobs: removed with all that is in them, and nothing else with them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hysds.adapters.ledger.litter_memory import MemoryLitter
from hysds.leasing import foothold, workdir
from hysds.leasing.sweeping import Sweeper
from hysds.leasing.workdir import WorkDir
from hysds.ports.litter import Ground

ONE = "01930f5e-7b1c-7000-8000-0123456789ab"
TWO = "01930f5e-7b1c-7000-8000-0123456789ac"
AT_MS = 1_732_000_000_000


class Field:
    """A host's root with directories of attempts, and its sweeper."""

    def __init__(self, path: Path) -> None:
        self.root = path / "work"
        self.root.mkdir()
        self.proc = path / "proc"
        self.proc.mkdir()
        self.litter = MemoryLitter()
        self.ground = Ground("here", str(self.root))
        self.sweeper = Sweeper(self.root, "here", self.litter, self.proc)

    def attempt(self, id_: str, fence: int = 1, at_ms: int = AT_MS) -> WorkDir:
        place = workdir.locate(self.root, id_, fence, at_ms)
        workdir.create(place)
        (place.path / "deep").mkdir()
        (place.path / "deep" / "result").write_text("x")
        return place

    def process_in(self, directory: Path) -> None:
        (self.proc / "77").mkdir()
        (self.proc / "77" / "cwd").symlink_to(directory)

    def lying(self) -> set[str]:
        return set(self.litter.lying(self.ground, "")[1])


@pytest.fixture
def field(tmp_path: Path) -> Field:
    return Field(tmp_path)


def test_all_attempts_of_a_purged_job_go_and_others_stay(field: Field) -> None:
    """Its directories and its link; of another job of the same minute, and of another minute, nothing."""
    field.attempt(ONE)
    last = field.attempt(ONE, 2)
    other, later = field.attempt(TWO), field.attempt(TWO, 3, AT_MS + 3_600_000)
    field.litter.leave(field.ground, {ONE: AT_MS})

    assert field.sweeper.sweep() == 1

    assert sorted(path.name for path in last.path.parent.iterdir()) == [TWO, f"{TWO}.f1"]
    assert (other.path / "deep" / "result").exists()
    assert later.path.exists()
    assert field.lying() == set()


def test_what_is_not_there_is_done_with(field: Field) -> None:
    """A repeat, a directory that the job itself removed, a job that never ran here."""
    field.litter.leave(field.ground, {ONE: AT_MS})

    assert field.sweeper.sweep() == 1
    assert field.lying() == set()


def test_no_link_is_followed(field: Field, tmp_path: Path) -> None:
    """Neither one in a directory, nor one in the place of a folder on the way."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    place = field.attempt(ONE)
    (place.path / "out").symlink_to(outside)
    field.litter.leave(field.ground, {ONE: AT_MS, TWO: AT_MS + 3_600_000})
    (outside / f"{TWO}.f1").mkdir()
    (outside / f"{TWO}.f1" / "precious").write_text("x")
    hour = workdir.locate(field.root, TWO, 1, AT_MS + 3_600_000).link.parent
    hour.parent.mkdir(parents=True)
    hour.symlink_to(outside)

    field.sweeper.sweep()

    assert not place.path.exists()
    assert (outside / "precious").exists()
    assert (outside / f"{TWO}.f1" / "precious").exists()


def test_a_directory_in_use_is_left_until_it_is_not(field: Field) -> None:
    """A process of another job stands somewhere below it."""
    place = field.attempt(ONE)
    field.process_in(place.path / "deep")
    field.litter.leave(field.ground, {ONE: AT_MS})

    assert field.sweeper.sweep() == 0
    assert (place.path / "deep" / "result").exists()
    assert field.lying() == {ONE}
    os.unlink(field.proc / "77" / "cwd")
    assert field.sweeper.sweep() == 1
    assert not place.path.exists()


def test_a_directory_that_a_worker_still_names_is_left(field: Field) -> None:
    """An attempt that was lost may live in it: whoever looks after its worker ends it first."""
    place = field.attempt(ONE)
    life = foothold.folder(field.root, "w@here/1")
    life.mkdir(parents=True)
    link = life / place.path.name
    link.symlink_to(os.path.relpath(place.path, life))
    field.litter.leave(field.ground, {ONE: AT_MS})

    assert field.sweeper.sweep() == 0
    link.unlink()
    assert field.sweeper.sweep() == 1


def test_names_that_only_look_like_it_are_left(field: Field) -> None:
    """An id that begins as another does, a file of somebody's."""
    place = field.attempt(ONE)
    for name in (f"{ONE}.fx", f"{ONE}0.f1", f"{ONE}.f1.backup"):
        (place.path.parent / name).mkdir()
    field.litter.leave(field.ground, {ONE: AT_MS, "../..": AT_MS})

    field.sweeper.sweep()

    assert sorted(path.name for path in place.path.parent.iterdir()) == [
        f"{ONE}.f1.backup",
        f"{ONE}.fx",
        f"{ONE}0.f1",
    ]
    assert field.root.exists()


def test_folders_that_a_job_closed_are_emptied(field: Field) -> None:
    """It may take its owner's rights from its own folders."""
    place = field.attempt(ONE)
    (place.path / "deep").chmod(0)
    field.litter.leave(field.ground, {ONE: AT_MS})

    assert field.sweeper.sweep() == 1
    assert not place.path.exists()


def test_another_hosts_directories_are_not_looked_at(field: Field) -> None:
    """Nor those below another root."""
    place = field.attempt(ONE)
    field.litter.leave(Ground("there", str(field.root)), {ONE: AT_MS})
    field.litter.leave(Ground("here", f"{field.root}2"), {ONE: AT_MS})

    assert field.sweeper.sweep() == 0
    assert place.path.exists()
