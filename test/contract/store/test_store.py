"""What every store does, whatever it is made of."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from hysds.core.errors import Refused
from hysds.core.query import JobQuery, Span
from hysds.core.searched import Sort, Term
from hysds.ports.store import DeadLetter, Store, Writing, Written


def _document(number: int, revision: int = 1, **changes: Any) -> dict[str, Any]:
    """A small document; `changes` are its top-level fields."""
    second = number % 60
    info = {"job_queue": "gpu", "time_queued": f"2026-01-01T00:00:{second:02}.000Z"}
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "revision": revision,
        "status": "job-queued",
        "type": "job:count",
        "@timestamp": f"2026-01-01T00:00:{second:02}.500Z",
        "job": {"name": f"count-{number}", "priority": number % 11, "params": {}, "job_info": info},
        **changes,
    }


def _numbers(page_documents: tuple[dict[str, Any], ...]) -> list[int]:
    return [int(document["id"][-12:]) for document in page_documents]


def test_a_written_document_comes_back_as_it_was(store: Store) -> None:
    """What was written is read back equal, by id, in the order asked; unknown ids are None."""
    first, second = _document(1), _document(2, tags=["a", "ä"], extra={"deep": [1, 2.5, None, True]})

    assert store.write([first, second]) == (Written(Writing.WRITTEN, 1), Written(Writing.WRITTEN, 1))

    assert store.get([second["id"], "unknown", first["id"]]) == (second, None, first)


def test_a_document_that_was_read_is_the_readers_own(store: Store) -> None:
    """Changing what was written or read changes nothing in the store."""
    document = _document(1)
    store.write([document])
    document["status"] = "changed"
    (read,) = store.get([document["id"]])
    assert read is not None
    read["status"] = "changed too"

    assert store.get([document["id"]]) == (_document(1),)


def test_an_older_or_equal_revision_never_replaces_a_newer_one(store: Store) -> None:
    """Late, doubled and reordered writes are answered with what is held, in one batch or in several."""
    late, held = _document(1, 5, status="late"), _document(1, 7, status="held")
    store.write([held])

    answers = store.write([late, _document(1, 7, status="double"), _document(1, 9), _document(1, 8), late])

    older = Writing.OLDER
    assert answers == (
        Written(older, 7), Written(older, 7), Written(Writing.WRITTEN, 9), Written(older, 9), Written(older, 9),
    )  # fmt: skip
    assert store.get([held["id"]]) == (_document(1, 9),)


@pytest.mark.parametrize(
    "broken",
    [
        {"id": ""},
        {"id": None},
        {"id": "half \ud800"},
        {"id": "a\0b"},
        {"revision": 0},
        {"revision": True},
        {"revision": 1.5},
        {"revision": 1 << 63},
        {"extra": float("nan")},
        {"extra": {1, 2}},
        {"extra": "x" * 16_000_001},
    ],
    ids=str,
)
def test_a_document_that_no_store_takes_is_refused_alone(store: Store, broken: dict[str, Any]) -> None:
    """The answer says why, and the others of the batch are written."""
    good, last = _document(1), _document(3)

    answers = store.write([good, {**_document(2), **broken}, last])

    assert [answer.how for answer in answers] == [Writing.WRITTEN, Writing.REFUSED, Writing.WRITTEN]
    assert answers[1].reason
    assert store.search(JobQuery()).total == 2


def test_a_self_containing_document_is_refused(store: Store) -> None:
    """A document nested in itself has no JSON."""
    document = _document(1)
    document["extra"] = document

    assert [answer.how for answer in store.write([document])] == [Writing.REFUSED]


def test_hostile_text_is_kept_and_found_exactly(store: Store) -> None:
    """Quotes, wildcards, NUL, emoji and SQL are values like any other."""
    texts = ["'; DROP TABLE documents; --", '"', "%", "_", "*", "a\0b", "🦊", "\u202e", "\\", "ß", "NULL"]
    documents = [_document(number, status=text) for number, text in enumerate(texts)]
    store.write(documents)

    for number, text in enumerate(texts):
        page = store.search(JobQuery(status=frozenset({text})))

        assert page.documents == (documents[number],)
    counted = dict(store.search(JobQuery(facets=(Term.STATUS,))).counts[Term.STATUS])
    assert counted == dict.fromkeys(texts, 1)


def test_a_document_of_five_megabytes_and_one_of_ten_thousand_keys_are_found(store: Store) -> None:
    """Neither the size of a payload nor the number of its keys does harm."""
    large = _document(1, blob="x" * 5_000_000)
    wide = _document(2)
    wide["job"]["params"] = {f"key-{number}": f"value{number}" for number in range(10_000)}
    store.write([large, wide])

    assert store.get([large["id"], wide["id"]]) == (large, wide)
    assert _numbers(store.search(JobQuery(text="value17")).documents) == [2]


def test_text_finds_documents_with_all_the_words(store: Store) -> None:
    """Words are whole, fold case and width, ignore order and punctuation, and come from names, errors and payloads."""
    failed = _document(1, error="CUDA error: out of memory", tags=["Nightly_Run"])
    failed["job"]["params"] = {"scenes": [{"file": "Größe-Ⅳ.TIF"}, 7]}
    store.write([failed, _document(2, error="out of luck")])

    def found(text: str) -> list[int]:
        return sorted(_numbers(store.search(JobQuery(text=text)).documents))

    assert found("out OF") == [1, 2]
    assert found("memory, out!") == [1]
    assert found("memor") == []
    assert found("nightly") == [1]
    assert found("GRÖSSE iv") == [1]
    assert found("scenes") == []
    assert found("count 2") == [2]


def test_text_follows_a_document_that_changes(store: Store) -> None:
    """Words that a newer revision no longer has find nothing, those that it brought do."""
    store.write([_document(1, error="first words")])
    store.write([_document(1, 2, error="second words")])

    assert store.search(JobQuery(text="first")).total == 0
    assert store.search(JobQuery(text="second words")).total == 1


def test_conditions_are_joined_and_their_values_are_alternatives(store: Store) -> None:
    """Any of the values of one condition, and all conditions."""
    store.write(
        [_document(1), _document(2, status="job-failed"), _document(3, status="job-failed", type="x")]
    )

    query = JobQuery(status=frozenset({"job-failed", "job-queued"}), type=frozenset({"job:count"}))

    assert _numbers(store.search(query).documents) == [2, 1]


def test_a_span_of_time_holds_its_start_and_not_its_end(store: Store) -> None:
    """Both bounds in ms; a job without the time is outside of every bound."""
    store.write([_document(number) for number in range(4)])
    midnight = 1_767_225_600_000
    inside = JobQuery(accepted=Span(midnight + 1000, midnight + 3000))

    assert _numbers(store.search(inside).documents) == [2, 1]
    assert store.search(JobQuery(ended=Span(from_ms=0))).total == 0


def test_counts_are_over_all_that_match_and_leave_out_the_absent(store: Store) -> None:
    """Facets ignore page and cursor; most first, equal ones by text; a job without the value is not counted."""
    kinds = ["b", "a", "a", "b", "c", ""]
    store.write([_document(number, type=kind) for number, kind in enumerate(kinds)])

    page = store.search(JobQuery(limit=0, facets=(Term.TYPE, Term.TAG)))

    assert page.documents == ()
    assert page.total == 6
    assert page.counts == {Term.TYPE: (("a", 2), ("b", 2), ("c", 1)), Term.TAG: ()}


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("descending", [True, False])
def test_pages_joined_are_the_whole_in_order(store: Store, sort: Sort, descending: bool) -> None:
    """Following cursors gives each job once, however many share a sort value."""
    store.write([_document(number, status="ab"[number % 2]) for number in range(70)])
    whole = store.search(JobQuery(sort=sort, descending=descending, limit=100)).documents

    pages, cursor = [], ""
    while True:
        query = JobQuery(sort=sort, descending=descending, limit=9, cursor=cursor)
        page = store.search(query)
        pages += page.documents
        cursor = page.cursor
        if not cursor:
            break

    assert len(whole) == 70
    assert tuple(pages) == whole


def test_paging_goes_on_where_it_was_while_others_write(store: Store) -> None:
    """A newer job before the cursor neither repeats nor hides any behind it."""
    store.write([_document(number) for number in range(10)])
    first = store.search(JobQuery(limit=5))
    store.write([_document(50)])

    second = store.search(JobQuery(limit=50, cursor=first.cursor))

    assert _numbers(first.documents + second.documents) == list(range(9, -1, -1))
    assert second.cursor == ""


def test_a_cursor_of_another_order_is_refused(store: Store) -> None:
    """A cursor only continues the search that gave it."""
    store.write([_document(number) for number in range(3)])
    cursor = store.search(JobQuery(limit=1)).cursor

    with pytest.raises(Refused, match="another order"):
        JobQuery(limit=1, cursor=cursor, sort=Sort.PRIORITY)


def test_an_empty_store_answers_every_question(store: Store) -> None:
    """Nothing was written: nothing is found, nothing fails."""
    page = store.search(JobQuery(text="a", facets=tuple(Term)))

    assert (page.documents, page.cursor, page.total) == ((), "", 0)
    assert store.get(["x"]) == (None,)
    assert store.get([]) == ()
    assert store.write([]) == ()
    assert store.describe()


def test_a_dead_letter_stays_until_a_later_revision_is_written(store: Store) -> None:
    """Letters say why a job has no document of a revision; what is written at or above it replaces the letter."""
    bad, other = DeadLetter(_document(1)["id"], 5, "why 1", 100), DeadLetter("b", 1, "why 2", 200)
    store.set_aside([bad, other])

    assert store.dead_letters(10) == (other, bad)
    assert store.dead_letters(1) == (other,)
    store.write([_document(1, 4)])
    assert store.dead_letters(10) == (other, bad)
    store.write([_document(1, 5)])
    assert store.dead_letters(10) == (other,)


def test_a_dead_letter_is_replaced_by_a_newer_one_alone(store: Store) -> None:
    """A letter below what is written or set aside already says nothing new."""
    store.write([_document(1, 5)])
    written = _document(1)["id"]
    store.set_aside([DeadLetter(written, 5, "late", 1), DeadLetter("b", 3, "new", 2)])
    store.set_aside([DeadLetter("b", 2, "old", 3)])
    store.set_aside([])

    assert store.dead_letters(10) == (DeadLetter("b", 3, "new", 2),)


def test_threads_share_a_store(store: Store) -> None:
    """Writers of the same jobs at once leave the newest revision of each."""

    def write(first: int) -> None:
        for revision in range(first, 40, 4):
            store.write([_document(number, revision) for number in range(5)])

    threads = [threading.Thread(target=write, args=(first,)) for first in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [document["revision"] for document in store.search(JobQuery()).documents] == [39] * 5


def test_a_batch_beyond_one_transaction_is_written_whole(store: Store) -> None:
    """A batch of any length gets an answer a document."""
    answers = store.write([_document(number) for number in range(1_201)])

    assert {answer.how for answer in answers} == {Writing.WRITTEN}
    assert len(answers) == 1_201
    assert store.search(JobQuery(limit=0)).total == 1_201


def test_all_stores_answer_with_the_same_json(new_store: Callable[[], Store]) -> None:
    """A document read twice, by id and by search, has its keys in the order in which they were written."""
    store, document = new_store(), _document(1, z=1, a=2)
    store.write([document])

    (by_id,) = store.get([document["id"]])
    (by_search,) = store.search(JobQuery()).documents

    assert json.dumps(by_id) == json.dumps(by_search) == json.dumps(document)
