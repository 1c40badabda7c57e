"""What dead workers leave on their host, and who may take it. No process here: those have their own tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hysds.adapters.ledger.memory import MemoryLedger
from hysds.core.errors import Unreachable
from hysds.core.requests import Acceptance, Bid, Commit, Fit, Lease, Moved
from hysds.core.spec import JobSpec, identity, stored
from hysds.core.status import Status
from hysds.job_worker import foothold, workdir
from hysds.job_worker.foothold import Foothold, Holder
from hysds.job_worker.orphans import Orphans
from hysds.job_worker.workdir import WorkDir
from hysds.lib.machine import Machine
from hysds.lib.uuid7 import Uuid7Source

NEW_ID = Uuid7Source()
HERE = Machine("here", "m", "boot-1")
DEAD = Holder("dead@here/1", HERE, "redis://ledger x")
MINE = replace(DEAD, incarnation="mine@here/2", machine=replace(HERE, boot_id="boot-2"))
"""Of the next boot: nothing of the dead one's can live."""


class Away(MemoryLedger):
    """A ledger that can be away."""

    is_away = False

    def leave(self, worker: str) -> Moved:
        if self.is_away:
            raise Unreachable("ledger", "away")
        return super().leave(worker)


class Wreck:
    """A worker with one claimed job and its directory; `dies` lets its lock go, as the kernel does."""

    def __init__(self, root: Path, holder: Holder = DEAD) -> None:
        self.root = root
        self.holder = holder
        self.ledger = Away(retention_ms=3_600_000)
        self.foothold = Foothold(root, holder)
        self.lease = self.claim(holder.incarnation)
        self.place = self.directory(self.lease)
        self.foothold.begin(self.place)
        workdir.create(self.place)

    def claim(self, worker: str) -> Lease:
        if not self.ledger.book.records:
            spec = stored(JobSpec("job:x", {"_command": "true"}))
            self.ledger.accept([Acceptance(NEW_ID(), identity(spec), spec, "q", "1s")])
        lease = self.ledger.claim(Bid(worker, ("q",), Fit(("1s",)), NEW_ID(), 30_000, 60_000)).lease
        assert lease is not None
        return lease

    def directory(self, lease: Lease) -> WorkDir:
        record = lease.record
        return workdir.locate(self.root, record.id, record.fence, record.accepted_ms)

    def dies(self) -> None:
        self.foothold.close()

    def taken(self, by: Holder = MINE) -> int:
        """How many queues have work again."""
        return len(Orphans(self.root, self.ledger, by).take_all())

    @property
    def status(self) -> Status:
        return self.ledger.book.records[self.lease.record.id].status


def test_a_living_workers_things_are_nobodys(tmp_path: Path) -> None:
    """It holds its lock: neither its lease nor its directory is touched."""
    wreck = Wreck(tmp_path)

    assert wreck.taken() == 0
    assert (wreck.status, wreck.place.path.is_dir()) == (Status.STARTED, True)


def test_a_dead_workers_leases_go_back_and_its_directories_go(tmp_path: Path) -> None:
    """At once, not when its leases run out; and nothing of it is left to be found again."""
    wreck = Wreck(tmp_path)
    wreck.dies()

    assert wreck.taken() == 1
    assert wreck.status is Status.QUEUED
    assert not wreck.place.path.exists()
    assert not wreck.place.link.is_symlink()
    assert foothold.all_folders(tmp_path) == []


def test_a_directory_whose_attempt_was_committed_stays(tmp_path: Path) -> None:
    """The worker died between its commit and its own note of it."""
    wreck = Wreck(tmp_path)
    record = wreck.lease.record
    wreck.ledger.commit(Commit(record.id, record.fence, Status.COMPLETED, detail='{"exit_code":0}'))
    wreck.dies()

    wreck.taken()

    assert wreck.place.path.is_dir()
    assert foothold.all_folders(tmp_path) == []


def test_the_successors_directory_and_link_stay(tmp_path: Path) -> None:
    """The lost attempt's goes, though the ledger had taken the lease back long ago."""
    wreck = Wreck(tmp_path)
    wreck.dies()
    wreck.ledger.leave(DEAD.incarnation)
    successor = wreck.directory(wreck.claim("mine@here/2"))
    workdir.create(successor)

    wreck.taken()

    assert not wreck.place.path.exists()
    assert successor.link.resolve() == successor.path.resolve()


def test_while_the_ledger_is_away_all_stays_for_later(tmp_path: Path) -> None:
    """Nobody may remove what may yet be somebody's."""
    wreck = Wreck(tmp_path)
    wreck.dies()
    wreck.ledger.is_away = True
    assert wreck.taken() == 0
    assert wreck.place.path.is_dir()

    wreck.ledger.is_away = False

    assert wreck.taken() == 1
    assert not wreck.place.path.exists()


def test_another_host_judges_nothing_on_a_shared_disk(tmp_path: Path) -> None:
    """It can't see whether the processes live; one with the same name but another machine id neither."""
    wreck = Wreck(tmp_path)
    wreck.dies()

    for machine in (replace(HERE, host="there"), replace(HERE, machine_id="other")):
        assert wreck.taken(replace(MINE, machine=machine)) == 0

    assert (wreck.status, wreck.place.path.is_dir()) == (Status.STARTED, True)


def test_workers_of_another_ledger_judge_nothing(tmp_path: Path) -> None:
    """They could only tell a ledger that has never heard of it."""
    wreck = Wreck(tmp_path)
    wreck.dies()

    assert wreck.taken(replace(MINE, ledger="redis://ledger y")) == 0
    assert (wreck.status, wreck.place.path.is_dir()) == (Status.STARTED, True)


def test_a_link_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    """A job may have put anything there: only directories below `jobs` are removed."""
    wreck = Wreck(tmp_path)
    precious = tmp_path / "precious" / f"{wreck.lease.record.id}.f7"
    precious.mkdir(parents=True)
    (foothold.folder(tmp_path, DEAD.incarnation) / precious.name).symlink_to(precious)
    wreck.dies()

    wreck.taken()

    assert precious.is_dir()


def test_a_worker_that_ends_in_order_leaves_no_foothold(tmp_path: Path) -> None:
    """Its attempts are told; nothing is left to be looked after."""
    wreck = Wreck(tmp_path)
    wreck.foothold.over(wreck.place)

    wreck.foothold.close()

    assert list((tmp_path / foothold.FOLDER).iterdir()) == []


def test_a_foothold_that_a_job_did_away_with_is_made_anew(tmp_path: Path) -> None:
    """With the next attempt: what is not noted can't be looked after."""
    wreck = Wreck(tmp_path)
    (tmp_path / foothold.FOLDER).rename(tmp_path / "gone")

    wreck.foothold.begin(wreck.place)
    assert wreck.taken() == 0
    wreck.dies()

    assert wreck.taken() == 1
