"""What is wrong between a store, the ledger and the archive, from what each sees of a job."""

from __future__ import annotations

from typing import Any

import pytest

from hysds.core.differences import Kind, Seen, Views, difference, digest, is_purge, purge, seen
from hysds.core.generations import Generations

_OLD, _NOW, _NEW = Seen(1, "a"), Seen(2, "b"), Seen(3, "c")
_ENDED, _OTHER = Seen(2, "b", True), Seen(2, "x", True)
_MARK = Seen(2, "", True)
_ALL = Generations()


def _judged(has_archive: bool = False, generations: Generations = _ALL, **views: Any) -> Kind | None:
    return difference(Views(**views), generations, has_archive)


@pytest.mark.parametrize(
    ("store", "kind"),
    [(_NOW, None), (None, Kind.MISSING), (_OLD, Kind.OLDER), (_NEW, Kind.NEWER), (_OTHER, Kind.OTHER)],
)
def test_the_store_says_what_the_ledger_says(store: Seen | None, kind: Kind | None) -> None:
    """Of a job that the ledger knows nothing else counts."""
    assert _judged(ledger=_NOW, store=store) is kind


@pytest.mark.parametrize(
    ("archive", "store", "kind"),
    [
        (None, None, None),
        (None, _ENDED, Kind.UNARCHIVED),
        (None, _NOW, Kind.GHOST),
        (_ENDED, None, Kind.MISSING),
        (_ENDED, _ENDED, None),
        (_ENDED, _OTHER, Kind.ARCHIVED_OTHER),
        (_ENDED, _OLD, Kind.OLDER),
        (_OLD, _ENDED, Kind.UNARCHIVED),
        (_MARK, None, None),
        (_MARK, _ENDED, Kind.PURGED),
        (_MARK, Seen(3, "c", True), Kind.UNARCHIVED),
    ],
)
def test_of_a_job_that_the_ledger_forgot_the_archive_knows(
    archive: Seen | None, store: Seen | None, kind: Kind | None
) -> None:
    """Its last document, or that it was purged."""
    assert _judged(True, archive=archive, store=store) is kind


def test_without_an_archive_what_has_ended_is_believed() -> None:
    """And what is shown as live is not."""
    assert _judged(store=_ENDED) is None
    assert _judged(store=_NOW) is Kind.GHOST


def test_what_ended_just_now_need_not_be_in_the_archive() -> None:
    """It must be there once the ledger knows that its last document is written."""
    assert _judged(True, ledger=_NOW, store=_ENDED) is None
    assert _judged(True, ledger=_ENDED, store=_ENDED) is Kind.UNARCHIVED


def test_a_record_without_a_document_is_unreadable() -> None:
    """Whatever the store holds."""
    assert _judged(ledger=Seen(0, ""), store=_NOW) is Kind.UNREADABLE


def test_what_was_dropped_with_its_index_is_missed_by_nobody() -> None:
    """Archived documents of old generations, and late steps of jobs that had ended."""
    later = Generations(oldest=2, current=3)

    assert _judged(True, later, archive=_ENDED) is None
    assert _judged(True, later, ledger=_ENDED) is None
    assert _judged(True, later, ledger=_NOW) is Kind.MISSING
    assert _judged(True, later, archive=Seen(2, "b", True, 2)) is Kind.MISSING


def test_documents_that_say_the_same_have_one_digest() -> None:
    """Whatever the order of their fields."""
    first = {"id": "a", "revision": 2, "job": {"x": 1.0, "ü": [None]}}
    second = {"job": {"ü": [None], "x": 1.0}, "revision": 2, "id": "a"}

    assert digest(first) == digest(second)
    assert digest(first) != digest({**first, "job": {"x": 2.0}})


def test_a_document_is_seen_with_its_end_and_its_generation() -> None:
    """One of an earlier version has no generation: it was born in the first."""
    live, ended = {"id": "a", "revision": 5, "status": "job-offline"}, {"id": "a", "status": "job-deduped"}

    assert (seen(live).ended, seen(live).generation) == (False, 1)
    assert seen({**ended, "revision": 6, "generation": 4}) == Seen(
        6, digest({**ended, "revision": 6, "generation": 4}), True, 4
    )


def test_the_mark_of_a_purge_is_no_document() -> None:
    """It has the revision up to which the job is gone."""
    assert is_purge(purge("a", 7))
    assert seen(purge("a", 7)) == Seen(7, "", True)
    assert not is_purge({"id": "a", "revision": 7, "status": "job-completed"})
