"""Deleted documents: gone from every answer, and not written again by whoever is late."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hysds.adapters.store.sqlite import SqliteStore
from hysds.core.query import JobQuery
from hysds.core.where import How, Where
from hysds.ports.indices import Resource
from hysds.ports.store import FENCE_MS, DeadLetter, Store, Writing, Written
from worlds.elastic_store import ElasticWorld
from worlds.stores import LOCAL

_AT_MS = 1_800_000_000_000


def _document(number: int, revision: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "revision": revision,
        "status": "job-failed",
        "type": "job:count",
        "error": f"word{number}",
        **changes,
    }


def test_a_deleted_document_is_in_no_answer(store: Store) -> None:
    """Not by id, by condition, by word, in no total; another of the same words stays."""
    one, two = _document(1, error="shared rare"), _document(2, error="shared")
    store.write([one, two])

    assert store.delete([(one["id"], 1), ("unknown", 5)]) == (True, False)

    assert store.get([one["id"], two["id"]]) == (None, two)
    assert store.search(JobQuery()).documents == (two,)
    assert [store.search(JobQuery(text=word)).total for word in ("rare", "shared")] == [0, 1]
    assert store.find(JobQuery()).jobs == ((two["id"], "job-failed"),)
    assert store.delete([(one["id"], 1)]) == (False,)


def test_a_late_write_does_not_bring_it_back_and_a_newer_one_does(store: Store) -> None:
    """An indexer that read the job before its purge writes up to that revision; a job of the same id goes on above."""
    store.write([_document(1, 7)])
    store.delete([(_document(1)["id"], 7)])

    late = store.write([_document(1, 7), _document(1, 6), _document(1, 8)])

    assert late == (Written(Writing.OLDER, 7), Written(Writing.OLDER, 7), Written(Writing.WRITTEN, 8))
    assert store.get([_document(1)["id"]]) == (_document(1, 8),)
    assert store.write([_document(1, 7)]) == (Written(Writing.OLDER, 8),)


def test_what_is_newer_than_the_delete_stays(store: Store) -> None:
    """The job was accepted once more between a purge and its delete."""
    store.write([_document(1, 9)])

    assert store.delete([(_document(1)["id"], 7)]) == (False,)
    assert store.get([_document(1)["id"]]) == (_document(1, 9),)


def test_letters_go_with_the_document_and_late_ones_do_not_come_back(store: Store) -> None:
    """Up to the revision, as documents."""
    id_ = _document(1)["id"]
    store.set_aside([DeadLetter(id_, 7, "too odd", _AT_MS)])
    store.delete([(id_, 7)])
    store.set_aside([DeadLetter(id_, 6, "too odd", _AT_MS)])
    assert store.dead_letters(10) == ()

    store.set_aside([newer := DeadLetter(id_, 8, "too odd", _AT_MS)])
    assert store.dead_letters(10) == (newer,)


def test_an_id_may_be_deleted_and_written_many_times(store: Store) -> None:
    """What a delete leaves holds no row and no word of another."""
    for revision in range(1, 30, 2):
        store.write([_document(number, revision) for number in range(8)])
        assert store.delete([(_document(number)["id"], revision) for number in range(0, 8, 2)]) == (True,) * 4
        assert [store.search(JobQuery(text=f"word{number}")).total for number in (0, 1)] == [0, 1]
        store.write([_document(number, revision + 1) for number in range(8)])
        assert store.search(JobQuery(text="word0")).total == 1


@pytest.mark.parametrize("kind", LOCAL)
def test_a_fence_stands_for_a_day(kind: str, tmp_path: Path) -> None:
    """Then nobody writes any more who read the job before; the next delete takes the fence away."""
    now = [_AT_MS]
    store = LOCAL[kind](tmp_path, lambda: now[0])
    store.delete([(_document(1)["id"], 7)])
    now[0] += FENCE_MS
    store.delete([("other", 1)])
    assert store.write([_document(1, 7)])[0].how is Writing.OLDER
    now[0] += 1
    store.delete([("other", 1)])
    assert store.write([_document(1, 7)])[0].how is Writing.WRITTEN
    store.close()


def test_a_fence_in_elasticsearch_is_a_document_for_a_day(elastic_world: ElasticWorld) -> None:
    """It outlives a restart, as no memory of deletes in the server does; a delete on the day after removes it."""
    now = [_AT_MS]
    with closing(elastic_world.store(lambda: now[0])) as store:
        store.write([_document(1, 7)])
        store.delete([(_document(1)["id"], 7), ("unknown", 5)])
        now[0] += FENCE_MS
        store.delete([])
        store.delete([("other", 1)])
        assert store.write([_document(1, 7)])[0].how is Writing.OLDER
        assert _fenced(elastic_world) == {_document(1)["id"], "unknown", "other"}

        now[0] += 1
        store.delete([("other", 1)])

        assert _fenced(elastic_world) == {"other"}


def _fenced(world: ElasticWorld) -> set[str]:
    """The ids of all documents that no reader finds."""
    index = world.names.patterns(Resource.JOB, Resource.TASK)
    world.node.request("POST", f"/{index}/_refresh")
    hits = world.node.request("POST", f"/{index}/_search", {"query": {"exists": {"field": "searched.fence"}}})
    return {hit["_id"] for hit in hits["hits"]["hits"]}


def test_a_file_of_the_first_schema_is_brought_to_this_one(tmp_path: Path) -> None:
    """It keeps its documents, and what is deleted from it stays deleted."""
    path = tmp_path / "jobs.db"
    first = SqliteStore(path)
    first.write([_document(1), _document(2)])
    first.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DROP TABLE fences; DROP INDEX by_parent; ALTER TABLE jobs DROP COLUMN parent; PRAGMA user_version = 1;"
        )

    store = SqliteStore(path)

    assert store.delete([(_document(1)["id"], 1)]) == (True,)
    assert store.write([_document(1)])[0].how is Writing.OLDER
    assert store.get([_document(2)["id"]]) == (_document(2),)
    member = _document(3) | {"parent": "group"}
    store.write([member])
    assert store.search(JobQuery(parent=frozenset({"group"}))).documents == (member,)
    store.close()


def test_values_in_params_are_found_in_a_file_of_the_third_schema(tmp_path: Path) -> None:
    """Its documents were written before such values were looked at; opening it looks at them."""
    path = tmp_path / "jobs.db"
    document = _document(1) | {"job": {"params": {"x": "abc"}, "name": "word"}}
    first = SqliteStore(path)
    first.write([document])
    first.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "UPDATE documents SET words = 'word abc'; INSERT INTO full_text (full_text) VALUES ('rebuild');"
            "PRAGMA user_version = 3;"
        )

    with closing(SqliteStore(path)) as store:
        assert store.search(JobQuery(where=(Where("params.x", How.IS, "abc"),))).documents == (document,)
        assert store.search(JobQuery(text="word")).total == 1
        store.write([document | {"revision": 2, "job": {"params": {"x": "other"}}}])
        assert store.search(JobQuery(where=(Where("params.x", How.IS, "abc"),))).total == 0
