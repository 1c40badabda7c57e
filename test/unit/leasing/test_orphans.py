"""What dead workers leave on their host, and who may take it. No process here: those have their own tests."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from hysds.adapters.ledger.memory import MemoryLedger
from hysds.core.errors import Unreachable
from hysds.core.floor_requests import Fit
from hysds.core.requests import Acceptance, Bid, Commit, Lease, Moved
from hysds.core.spec import JobSpec, identity, stored
from hysds.core.status import Status
from hysds.leasing import foothold, workdir
from hysds.leasing.foothold import Foothold, Holder, Unjudged
from hysds.leasing.orphans import Orphans
from hysds.leasing.workdir import WorkDir
from hysds.lib.machine import Machine
from hysds.lib.process.suspects import Origin
from hysds.lib.uuid7 import Uuid7Source

NEW_ID = Uuid7Source()
HERE = Machine("here", "m", "boot-1", "pid:[1]")
DEAD = Holder("dead@here/1", HERE, "redis://ledger x", Origin(0.0, "", ""))
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

    @property
    def lock(self) -> Path:
        return foothold.folder(self.root, self.holder.incarnation) / "lock"

    def unjudged(self, by: Holder = MINE, root: Path | None = None) -> list[Unjudged]:
        """Why nothing follows from folders."""
        return [why for _, why in Orphans(root or self.root, self.ledger, by).unjudged()]

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


SAME_BOOT = replace(MINE, machine=HERE)


def test_the_copy_of_a_living_workers_foothold_tells_nothing(tmp_path: Path) -> None:
    """An operator copies the work directories to a bigger disk: nobody ever held the copy's lock."""
    wreck = Wreck(tmp_path / "work")
    shutil.copytree(tmp_path / "work", tmp_path / "work2", symlinks=True)

    taken = Orphans(tmp_path / "work2", wreck.ledger, SAME_BOOT).take_all()

    assert (taken, wreck.status) == ((), Status.STARTED)
    assert wreck.unjudged(SAME_BOOT, tmp_path / "work2") == [Unjudged.COPY]
    assert wreck.unjudged(SAME_BOOT) == []


def test_a_foothold_under_another_name_tells_nothing(tmp_path: Path) -> None:
    """Whoever renamed or planted it: the folder is named for its worker."""
    wreck = Wreck(tmp_path)
    wreck.dies()
    wreck.lock.parent.rename(tmp_path / foothold.FOLDER / "other@here%2F9")

    assert wreck.taken() == wreck.taken(SAME_BOOT) == 0
    assert wreck.unjudged(SAME_BOOT) == [Unjudged.COPY]


def test_after_a_reboot_the_number_of_the_disk_may_be_another(tmp_path: Path) -> None:
    """Of a worker of the boot before nothing lives: there is nobody to be taken for dead."""
    wreck = Wreck(tmp_path / "work")
    wreck.dies()
    shutil.copytree(tmp_path / "work", tmp_path / "work2", symlinks=True)

    assert len(Orphans(tmp_path / "work2", wreck.ledger, MINE).take_all()) == 1


@pytest.mark.parametrize(("mine", "may"), [("pid:[1]", 1), ("pid:[2]", 0), ("pid:[4026531836]", 1)])
def test_another_container_of_the_host_judges_nothing(tmp_path: Path, mine: str, may: int) -> None:
    """It has the same name, machine id and disk, but can't see the other's processes; the host's own namespace can."""
    wreck = Wreck(tmp_path)
    wreck.dies()
    here = replace(SAME_BOOT, machine=replace(HERE, pid_namespace=mine))

    assert (wreck.unjudged(here) == [Unjudged.UNSEEN]) is (not may)
    assert wreck.taken(here) == may


def test_a_lock_that_a_cleaner_took_away_is_put_back_with_the_links(tmp_path: Path) -> None:
    """Else nobody could ever prove the death of this worker."""
    wreck = Wreck(tmp_path)
    wreck.lock.unlink()
    (wreck.lock.parent / wreck.place.path.name).unlink()
    assert wreck.unjudged() == [Unjudged.BARE]

    wreck.foothold.mend()

    assert wreck.taken() == 0
    assert list(foothold.attempts(wreck.lock.parent).values()) == [wreck.place.path]
    wreck.dies()
    assert wreck.taken() == 1


def test_a_lock_that_was_replaced_is_taken_back(tmp_path: Path) -> None:
    """By a file that nobody holds: the worker would be dead to whoever looks."""
    wreck = Wreck(tmp_path)
    said = wreck.lock.read_text()
    wreck.lock.unlink()
    wreck.lock.write_text(said)

    wreck.foothold.mend()

    assert wreck.taken(SAME_BOOT) == 0
    wreck.dies()
    assert len(Orphans(tmp_path, wreck.ledger, MINE).take_all()) == 1


def test_a_foothold_that_was_moved_away_stays_held_where_it_is_now(tmp_path: Path) -> None:
    """`mv work work2`: a worker of the new place may not take the old one's for dead."""
    wreck = Wreck(tmp_path / "work")
    (tmp_path / "work").rename(tmp_path / "work2")

    wreck.foothold.mend()

    assert Orphans(tmp_path / "work2", wreck.ledger, SAME_BOOT).take_all() == ()
    assert wreck.taken(SAME_BOOT) == 0
    assert wreck.status is Status.STARTED


def test_attempts_that_begin_at_once_after_all_was_removed_leave_the_lock_held(tmp_path: Path) -> None:
    """Each puts back what is gone; none lets go of what another one took, and all of them are noted."""
    for turn in range(20):
        live = replace(DEAD, incarnation=f"live@here/{turn}")
        held = Foothold(tmp_path, live)
        shutil.rmtree(tmp_path / foothold.FOLDER)
        places = [workdir.locate(tmp_path, f"{turn}-{each}", each, 10**12) for each in range(4)]
        barrier = threading.Barrier(len(places))

        def begin(place: WorkDir, held: Foothold = held, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            held.begin(place)

        threads = [threading.Thread(target=begin, args=(place,)) for place in places]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        path = foothold.folder(tmp_path, live.incarnation)
        with foothold.seized(path, HERE) as found:
            assert found is Unjudged.HELD
        assert sorted(foothold.attempts(path).values()) == sorted(place.path for place in places)
        held.close()


def test_a_place_that_could_not_be_held_is_tried_again(tmp_path: Path) -> None:
    """The disk was full, or something stood in the way, when the worker began."""
    (tmp_path / foothold.FOLDER).write_text("in the way")
    held = Foothold(tmp_path, DEAD)
    (tmp_path / foothold.FOLDER).unlink()

    held.mend()

    with foothold.seized(foothold.folder(tmp_path, DEAD.incarnation), HERE) as found:
        assert found is Unjudged.HELD


def test_what_was_let_go_is_not_taken_again(tmp_path: Path) -> None:
    """The last renewal may come beside the end of the worker."""
    wreck = Wreck(tmp_path)
    wreck.dies()

    wreck.foothold.mend()

    assert wreck.taken() == 1


def test_whoever_takes_one_worker_waits_for_somebody_who_only_looks(tmp_path: Path) -> None:
    """A plain doctor holds the dead worker's lock for a moment; its guardian's word may not be lost over that."""
    wreck = Wreck(tmp_path)
    wreck.dies()
    path = foothold.folder(tmp_path, DEAD.incarnation)
    ready: list[object] = []
    taking = threading.Thread(
        target=lambda: ready.extend(
            Orphans(tmp_path, wreck.ledger, MINE).take(DEAD.incarnation, patience_s=60)
        )
    )

    with foothold.seized(path, HERE) as found:
        assert found == DEAD
        assert Orphans(tmp_path, wreck.ledger, MINE).take(DEAD.incarnation) == ()
        taking.start()
    taking.join()

    assert (len(ready), wreck.status) == (1, Status.QUEUED)
