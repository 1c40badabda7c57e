"""What every chronicle does with documents of workers and events; `core.chronicle_query.select` is the reference."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from typing import Any

import pytest

from hysds.core import chronicle_query
from hysds.core.errors import Refused
from hysds.core.happenings import EVENT, WORKER, Happening, document
from hysds.ports.chronicle import Chronicle, ChronicleQuery, Writing

_NOW_MS = 1_790_000_000_000


def _happening(number: int, **changes: object) -> Happening:
    plain = Happening(f"id-{number}", EVENT, "thing-happened", "seen", _NOW_MS + number, "host-1")
    return replace(plain, **changes)  # type: ignore[arg-type]


def _documents(*happenings: Happening) -> list[dict[str, Any]]:
    return [document(one) for one in happenings]


def _found(chronicle: Chronicle, query: ChronicleQuery) -> list[str]:
    return [one["id"] for one in chronicle.search(query).documents]


def test_a_document_is_found_as_it_was_written(chronicle: Chronicle) -> None:
    """Whole, HySDS's names included."""
    [event] = _documents(_happening(1, tags=("a",), event={"load": [0.5, 1, 2]}))
    [worker] = _documents(Happening("celery@w1", WORKER, "worker-heartbeat", "worker-heartbeat", _NOW_MS))

    answers = chronicle.write([event, worker])

    assert [answer.how for answer in answers] == [Writing.WRITTEN, Writing.WRITTEN]
    assert chronicle.search(ChronicleQuery(EVENT)).documents == (event,)
    assert chronicle.search(ChronicleQuery(WORKER)).documents == (worker,)
    assert (event["uuid"], event["hostname"]) == ("id-1", "host-1")
    assert (worker["celery_hostname"], worker["uuid"]) == ("celery@w1", [])


def test_the_latest_of_one_id_stays_whatever_the_order(chronicle: Chronicle) -> None:
    """Late and doubled writes are answered `older`, with what is held; within one batch too."""
    late, early = _documents(_happening(1, at_ms=_NOW_MS + 9, status="new"), _happening(1, status="old"))

    answers = chronicle.write([late, early, late])

    assert [(one.how, one.held) for one in answers] == [
        (Writing.WRITTEN, _NOW_MS + 9),
        (Writing.OLDER, _NOW_MS + 9),
        (Writing.OLDER, _NOW_MS + 9),
    ]
    assert chronicle.write([early])[0].how is Writing.OLDER
    assert [one["status"] for one in chronicle.search(ChronicleQuery(EVENT)).documents] == ["new"]


def test_a_worker_and_an_event_of_one_id_are_two(chronicle: Chronicle) -> None:
    """Neither replaces the other."""
    chronicle.write(_documents(_happening(1), _happening(1, resource=WORKER)))

    assert _found(chronicle, ChronicleQuery(EVENT)) == _found(chronicle, ChronicleQuery(WORKER)) == ["id-1"]


@pytest.mark.parametrize(
    "broken",
    [
        {"resource": "job"},
        {"id": ""},
        {"id": 7},
        {"revision": 0},
        {"revision": "1"},
        {"event": {"x": float("nan")}},
        {"event": {"x": "\ud800"}},
    ],
)
def test_a_document_that_nobody_takes_is_refused_and_the_rest_is_written(
    chronicle: Chronicle, broken: dict[str, object]
) -> None:
    """With the reason."""
    bad, good = _documents(_happening(1), _happening(2))

    first, second = chronicle.write([bad | broken, good])

    assert (first.how, second.how) == (Writing.REFUSED, Writing.WRITTEN)
    assert first.reason
    assert _found(chronicle, ChronicleQuery(EVENT)) == ["id-2"]


def test_every_chronicle_answers_as_the_reference_does(chronicle: Chronicle) -> None:
    """Same documents in the same order, same totals, page by page, over all combinations of conditions."""
    dice = random.Random(6)
    told = [
        _happening(
            number,
            at_ms=_NOW_MS + dice.randrange(20),
            type=dice.choice(["celery.task-failed", "celery.task-started", "rule-fired", "Rule-fired", "é*"]),
            hostname=dice.choice(["host-1", "host-10", "celery@w1", ""]),
        )
        for number in range(120)
    ]
    documents = _documents(*told)
    chronicle.write(documents)
    types = ((), ("rule-fired",), ("celery.*", "rule-fired"), ("celery.task-*",), ("*",), ("é*",), ("none",))
    spans = ((None, None), (_NOW_MS + 5, None), (None, _NOW_MS + 5), (_NOW_MS + 5, _NOW_MS + 9))

    for wanted, host, (since, until) in itertools.product(types, ("", "host-1", "host"), spans):
        query = ChronicleQuery(EVENT, wanted, host, since, until, limit=17)
        while True:
            page = chronicle.search(query)
            assert page == chronicle_query.select(query, documents)
            if not page.cursor:
                break
            query = replace(query, cursor=page.cursor)


def test_a_page_of_none_counts(chronicle: Chronicle) -> None:
    """For totals alone."""
    chronicle.write(_documents(_happening(1), _happening(2)))

    page = chronicle.search(ChronicleQuery(EVENT, limit=0))

    assert (page.documents, page.total, page.cursor) == ((), 2, "")


def test_the_old_are_deleted_and_the_new_stay(chronicle: Chronicle) -> None:
    """Of the one resource; asked until nothing is left, as it may go in pieces."""
    chronicle.write(_documents(*(_happening(number) for number in range(700))))
    chronicle.write(_documents(_happening(1, resource=WORKER)))

    counts = []
    while count := chronicle.delete_before(EVENT, _NOW_MS + 698):
        counts.append(count)

    assert sum(counts) == 698
    assert _found(chronicle, ChronicleQuery(EVENT)) == ["id-699", "id-698"]
    assert _found(chronicle, ChronicleQuery(WORKER)) == ["id-1"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"resource": "job"},
        {"resource": EVENT, "types": ("",)},
        {"resource": EVENT, "hostname": "x" * 2_000},
        {"resource": EVENT, "types": ("\ud800",)},
        {"resource": EVENT, "limit": 10_001},
        {"resource": EVENT, "since_ms": 1 << 60},
        {"resource": EVENT, "cursor": "bm9uZQ"},
        {"resource": EVENT, "cursor": "WyJ4Iiwgie"},
    ],
)
def test_a_question_without_an_answer_is_refused(arguments: dict[str, Any]) -> None:
    """Before any chronicle is asked."""
    with pytest.raises(Refused):
        ChronicleQuery(**arguments)
