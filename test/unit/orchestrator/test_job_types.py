"""The published job types as one process sees them."""

from __future__ import annotations

import pytest

from hysds.adapters.ledger.catalog_memory import MemoryCatalogShelf
from hysds.core.errors import Complaint, Conflict, Internal, InvalidSpec
from hysds.core.job_types import catalog
from hysds.core.job_types.catalog import Catalog, JobType
from hysds.orchestrator.job_types import FRESH_S, Files, JobTypes

ONE = catalog.catalog([JobType("job:one")])
TWO = catalog.catalog([JobType("job:two")])


class _Counting(MemoryCatalogShelf):
    """Counts what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def digest(self) -> str:
        self.asked.append("digest")
        return super().digest()

    def published(self) -> Catalog | None:
        self.asked.append("published")
        return super().published()


class _Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_thousand_submissions_ask_once() -> None:
    """And once more after the interval, for the digest alone."""
    shelf, clock = _Counting(), _Clock()
    shelf.publish(ONE, "")
    types = JobTypes(shelf, clock)

    assert {types.current().digest for _ in range(1000)} == {ONE.digest}
    assert shelf.asked == ["digest", "published"]
    clock.now_s = FRESH_S + 0.1
    assert types.current() == ONE
    assert shelf.asked == ["digest", "published", "digest"]


def test_what_another_process_published_is_in_force_after_the_interval() -> None:
    """Not before: that is what the interval costs."""
    shelf, clock = MemoryCatalogShelf(), _Clock()
    shelf.publish(ONE, "")
    types = JobTypes(shelf, clock)
    types.current()

    shelf.publish(TWO, ONE.digest)

    assert types.current() == ONE
    assert types.latest() == TWO
    clock.now_s = FRESH_S + 0.1
    assert types.current() == TWO


def test_without_a_published_catalogue_there_are_no_types() -> None:
    """All specs then say all themselves."""
    assert JobTypes(MemoryCatalogShelf(), _Clock()).current() == catalog.EMPTY


def test_of_two_operators_at_once_one_is_told_to_repeat() -> None:
    """The other one published between its look and its change."""
    shelf, clock = MemoryCatalogShelf(), _Clock()

    def late(known: Catalog) -> Catalog:
        JobTypes(shelf, clock).change(lambda _: ONE)
        return TWO

    with pytest.raises(Conflict, match="repeat"):
        JobTypes(shelf, clock).change(late)
    assert shelf.published() == ONE


def files(*types: JobType) -> Files:
    """Files that say this."""
    return lambda: (catalog.catalog(types), ())


def broken() -> tuple[Catalog, tuple[Complaint, ...]]:
    """Files of which one is half written."""
    raise InvalidSpec((Complaint("half.json: $", "not JSON"),))


def test_where_nothing_is_published_whoever_has_files_publishes_them() -> None:
    """Once; a process without files uses them then."""
    shelf = _Counting()
    first = JobTypes(shelf, _Clock(), files(JobType("job:one")))

    assert first.current() == ONE
    assert shelf.published() == ONE
    assert JobTypes(shelf, _Clock()).current() == ONE


def test_what_is_published_comes_before_files_that_nobody_reloaded() -> None:
    """A file that is being edited is in force when somebody says so."""
    shelf = MemoryCatalogShelf()
    shelf.publish(TWO, "")

    assert JobTypes(shelf, _Clock(), files(JobType("job:one"))).current() == TWO


def test_of_two_who_publish_first_both_use_what_the_first_published() -> None:
    """The second one's files differ, and are in force when it is told to reload."""
    shelf = MemoryCatalogShelf()

    def late() -> tuple[Catalog, tuple[Complaint, ...]]:
        shelf.publish(ONE, "")
        return TWO, ()

    assert JobTypes(shelf, _Clock(), late).current() == ONE


def test_files_that_can_t_be_used_at_first_refuse_each_submission_until_they_can() -> None:
    """Jobs must not run without the type that somebody wrote for them."""
    answers: list[Files] = [broken, broken, files(JobType("job:one"))]

    def next_answer() -> tuple[Catalog, tuple[Complaint, ...]]:
        return answers.pop(0)()

    types = JobTypes(MemoryCatalogShelf(), _Clock(), next_answer)

    for _ in range(2):
        with pytest.raises(InvalidSpec, match="half"):
            types.current()
    assert types.current() == ONE


def test_a_reload_tells_what_it_changed() -> None:
    """By name; what was added otherwise stays."""
    shelf = MemoryCatalogShelf()
    old = [JobType("gone"), JobType("same"), JobType("other"), JobType("job-x:v1", is_added=True)]
    shelf.publish(catalog.catalog(old), "")

    done = JobTypes(shelf, _Clock()).reload(
        files(JobType("same"), JobType("other", places=1), JobType("new"))
    )

    assert (done.added, done.changed, done.removed) == (("new",), ("other",), ("gone",))
    assert sorted(done.known.types) == ["job-x:v1", "new", "other", "same"]
    assert shelf.published() == done.known


def test_a_reload_of_bad_files_keeps_what_is_in_force() -> None:
    """Whole; the error names the files."""
    shelf = MemoryCatalogShelf()
    shelf.publish(ONE, "")
    types = JobTypes(shelf, _Clock())

    with pytest.raises(InvalidSpec, match="half"):
        types.reload(broken)
    assert types.current() == shelf.published() == ONE


def test_a_reload_can_be_tried() -> None:
    """It says what it would change, and changes nothing."""
    shelf = MemoryCatalogShelf()
    shelf.publish(ONE, "")

    done = JobTypes(shelf, _Clock()).reload(files(JobType("job:two")), publishes=False)

    assert (done.added, done.removed) == (("job:two",), ("job:one",))
    assert shelf.published() == ONE


def test_the_same_files_again_change_nothing() -> None:
    """And are published under the same digest."""
    shelf = MemoryCatalogShelf()
    types = JobTypes(shelf, _Clock())
    types.reload(files(JobType("job:one")))

    assert types.reload(files(JobType("job:one"))).is_same
    assert shelf.digest() == ONE.digest


def test_what_another_version_published_is_replaced_by_a_reload() -> None:
    """It can't be read, which the answer says; a submission is refused until then."""

    class Foreign(MemoryCatalogShelf):
        foreign = True

        def digest(self) -> str:
            return "0" * 32 if self.foreign else super().digest()

        def published(self) -> Catalog | None:
            return catalog.from_stored("[3]") if self.foreign else super().published()

        def publish(self, known: Catalog, replaces: str) -> bool:
            assert replaces == "0" * 32
            self.foreign = False
            return super().publish(known, catalog.NOTHING_PUBLISHED)

    types = JobTypes(Foreign(), _Clock())
    with pytest.raises(Internal, match="hysds config reload"):
        types.current()

    done = types.reload(files(JobType("job:one")))

    assert [one.path for one in done.notes] == ["published"]
    assert types.current() == ONE
