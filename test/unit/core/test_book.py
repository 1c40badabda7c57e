"""What a submitter and a user ask of the book: accept, reject, cancel, amend."""

from __future__ import annotations

import pytest

from hysds.core.book import Book
from hysds.core.requests import Accepting, Answer, Ready
from hysds.core.shapes import MAX_SHAPES_PER_QUEUE
from hysds.core.status import Status
from hysds.lib import uuid7
from unit.core.book_values import (
    DAY_MS,
    NOW_MS,
    NOW_US,
    ONE,
    THREE,
    TWO,
    accept,
    claim,
    end,
    item,
    keyed,
    started,
)


def test_an_accepted_job_is_ready_and_its_event_is_told() -> None:
    """One step makes the record, the ready entry and the event, and answers the queue to ring."""
    book = Book()

    answer = book.accept([item()], DAY_MS, NOW_US)

    assert answer.ready == (Ready("q", jobs=1, unheard=1, hearers=0),)
    assert [id for _, id in book.places.ready["q", "1s"]] == [ONE]
    assert [(event.id, event.status, event.step) for event in book.events] == [(ONE, "job-queued", "accept")]


def test_a_repeated_submission_reads_its_answer_from_the_record() -> None:
    """A client that got no answer asks again, and nothing happens twice."""
    book, record = started()

    again = book.accept([item()], DAY_MS, NOW_US + 5).answers[0]

    assert again == Answer(Accepting.REPEATED, "job-started")
    assert book.records[ONE] == record


def test_the_same_id_with_another_spec_is_a_conflict() -> None:
    """An id names one job for ever."""
    book, record = started()

    answer = book.accept([item(digest="other")], DAY_MS, NOW_US).answers[0]

    assert answer.how is Accepting.CONFLICT
    assert book.records[ONE] == record


@pytest.mark.parametrize(("age_ms", "how"), [(DAY_MS + 1, Accepting.TOO_OLD), (DAY_MS, Accepting.ACCEPTED)])
def test_an_id_older_than_the_retention_is_refused(age_ms: int, how: Accepting) -> None:
    """Its record may be forgotten already: a repeat could not be told from a new job."""
    old = uuid7.compose(NOW_MS - age_ms, 0, 0)

    assert Book().accept([item(old)], DAY_MS, NOW_US).answers[0].how is how


def test_a_job_that_may_not_start_yet_waits_for_its_time() -> None:
    """It stands in `due` and in no ready list, and rings no bell."""
    book = Book()

    answer = book.accept([item(wake_ms=NOW_MS + 5)], DAY_MS, NOW_US)

    assert (answer.answers[0].status, answer.ready) == ("job-waiting", ())
    assert (book.places.due, book.places.ready) == ({ONE: NOW_MS + 5}, {})


def test_a_queue_takes_a_bounded_number_of_shapes() -> None:
    """A shape beyond the bound is refused; one already there still enters."""
    book = Book()
    ids = [uuid7.compose(NOW_MS, number, 0) for number in range(MAX_SHAPES_PER_QUEUE + 2)]
    accept(book, *(item(id, shape=f"{number + 1}s") for number, id in enumerate(ids[:-2])))

    answers = book.accept([item(ids[-2], shape="999s"), item(ids[-1], shape="1s")], DAY_MS, NOW_US).answers

    assert [answer.how for answer in answers] == [Accepting.FULL, Accepting.ACCEPTED]
    assert ids[-2] not in book.records


def test_a_duplicate_has_a_record_that_names_the_job_that_stands_for_it() -> None:
    """It is terminal at once; both answers, the first and the repeated, name the twin."""
    book = Book()
    accept(book, keyed(ONE))

    answers = [book.accept([keyed(TWO)], DAY_MS, NOW_US).answers[0] for _ in range(2)]

    assert [answer.how for answer in answers] == [Accepting.DEDUPED, Accepting.REPEATED]
    assert {(answer.status, answer.twin, answer.twin_status) for answer in answers} == {
        ("job-deduped", ONE, "job-queued")
    }


def test_a_failed_job_frees_its_key_in_the_same_step() -> None:
    """The next submission of the same work is a job of its own."""
    book = Book()
    accept(book, keyed(ONE))
    book.commit(end(claim(book), Status.FAILED, reason="user"), None, NOW_US)

    accept(book, keyed(TWO))

    assert book.keys.by_digest["k"].owner == TWO


@pytest.mark.parametrize(("later_ms", "how"), [(999, Accepting.DEDUPED), (1000, Accepting.ACCEPTED)])
def test_a_completed_job_stands_for_its_work_within_its_window(later_ms: int, how: Accepting) -> None:
    """After the window the key counts as free."""
    book = Book()
    accept(book, keyed(ONE, window_ms=1000))
    book.commit(end(claim(book)), None, NOW_US)

    assert book.accept([keyed(TWO)], DAY_MS, NOW_US + later_ms * 1000).answers[0].how is how


def test_a_key_outlives_the_record_that_it_names() -> None:
    """A forgotten job stands as completed: that it ran is known as long as its window lasts."""
    book = Book()
    accept(book, keyed(ONE))
    book.commit(end(claim(book)), None, NOW_US)
    book.confirm(ONE, book.records[ONE].revision, 0, NOW_US)
    book.forget([ONE], NOW_US)

    answer = book.accept([keyed(TWO)], DAY_MS, NOW_US).answers[0]

    assert (answer.how, answer.twin, answer.twin_status) == (Accepting.DEDUPED, ONE, "job-completed")


def test_a_forced_twin_neither_takes_nor_deletes_the_key_of_a_live_job() -> None:
    """A third submission is still a duplicate of the first."""
    book = Book()
    accept(book, keyed(ONE), keyed(TWO, may_repeat=True))
    book.cancel([TWO], NOW_US)

    answer = book.accept([keyed(THREE)], DAY_MS, NOW_US).answers[0]

    assert (answer.how, answer.twin) == (Accepting.DEDUPED, ONE)


def test_which_states_count_is_judged_by_the_new_submission() -> None:
    """One that does not mind completed twins runs again, and then stands for the work."""
    book = Book()
    accept(book, keyed(ONE))
    book.commit(end(claim(book)), None, NOW_US)

    accept(book, keyed(TWO, twins=frozenset({Status.QUEUED})))

    assert book.keys.by_digest["k"].owner == TWO


def test_a_retry_takes_the_key_of_the_completed_job_that_it_retries() -> None:
    """It is no duplicate of what it repeats."""
    book = Book()
    accept(book, keyed(ONE))
    book.commit(end(claim(book)), None, NOW_US)

    accept(book, keyed(TWO, retry_of=ONE))

    assert book.keys.by_digest["k"].owner == TWO


def test_a_rejected_submission_ends_failed_where_everybody_can_see_why() -> None:
    """It takes no key and stands in no set."""
    book = Book()

    answer = book.reject(keyed(ONE), '{"code": "invalid-spec"}', NOW_US)

    record = book.records[ONE]
    assert (answer.how, record.status, record.reason) == (Accepting.ACCEPTED, Status.FAILED, "invalid")
    assert (book.errors[ONE], book.keys.by_digest, book.places.ready) == ('{"code": "invalid-spec"}', {}, {})


def test_a_cancel_revokes_what_is_unclaimed_and_marks_what_runs() -> None:
    """Each id gets its own answer; the owner of a lease is told of that very lease."""
    book, record = started()
    accept(book, item(TWO))

    moved = book.cancel([ONE, TWO, THREE, TWO], NOW_US)

    assert moved.answers == (
        (ONE, "job-started"), (TWO, "job-revoked"), (THREE, "missing"), (TWO, "ended"),
    )  # fmt: skip
    assert book.records[ONE].cancel
    assert book.floor.inboxes["A"] == (f"cancel {ONE} {record.fence}",)


def test_an_amended_job_keeps_its_place_in_time() -> None:
    """Another queue and priority, the same moment of becoming ready; claimed and unknown jobs are not touched."""
    book, _ = started()
    accept(book, item(TWO))

    moved = book.amend([ONE, TWO, THREE], "r", 9, NOW_US + 10**9)

    assert moved.answers == ((ONE, "job-started"), (TWO, "job-queued"), (THREE, "missing"))
    assert list(book.places.ready) == [("r", "1s")]
    assert (book.records[TWO].priority, book.records[TWO].ready_ms) == (9, NOW_MS)
