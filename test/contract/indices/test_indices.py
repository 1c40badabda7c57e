"""How a store's indices are made, told of, and dropped, on the real server."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any

import pytest

from hysds.adapters.store.elasticsearch import health, mapping
from hysds.adapters.store.elasticsearch.server import Server
from hysds.adapters.store.elasticsearch.store import ElasticStore
from hysds.core.errors import NotInitialised, Refused, Unreachable
from hysds.core.query import JobQuery
from hysds.ports.indices import Resource
from hysds.ports.store import Writing, Written
from services.elastic_node import ElasticNode
from worlds.elastic_store import ElasticWorld, access


def _document(number: int, generation: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "_id": f"00000000-0000-4000-8000-{number:012}",
        "resource": "job",
        "revision": 1,
        "generation": generation,
        "status": "job-queued",
        **changes,
    }


def _aliases(node: ElasticNode, prefix: str) -> dict[str, set[str]]:
    """The indices behind each alias."""
    found: dict[str, set[str]] = {}
    for index, told in node.request("GET", f"/{prefix}*/_alias").items():
        for alias in told["aliases"]:
            found.setdefault(alias.removeprefix(prefix), set()).add(index.removeprefix(prefix))
    return found


def _found(world: ElasticWorld) -> set[tuple[str, str]]:
    """What `hysds doctor` finds, and where."""
    return {(one.code, one.where) for one in health.check(Server(access(world.node)), world.names)}


def test_indices_are_made_once_and_have_hysdss_names(world: ElasticWorld) -> None:
    """Two generations of jobs, tasks and events, one index of workers and of letters; a second call makes nothing."""
    made = world.indices.init(3, 4)

    assert world.indices.init(3, 4) == ()
    prefix = world.names.prefix
    jobs = {"job_status-000003", "job_status-000004"}
    assert {f"{prefix}{name}" for name in jobs} <= set(made)
    aliases = _aliases(world.node, prefix)
    assert aliases["job_status-current"] == aliases["job_failed"] == jobs
    assert aliases["job_status-000004-write"] == {"job_status-000004"}
    assert aliases["task_status-current"] == {"task_status-000003", "task_status-000004"}
    assert aliases["event_status-current"] == {"event_status-000003", "event_status-000004"}
    assert aliases["worker_status-current"] == {"worker_status-000001"}
    assert aliases["dead_letter-current"] == {"dead_letter-000001"}


def test_processes_may_make_them_at_once(world: ElasticWorld) -> None:
    """Each is made by one of them, and all find them made."""
    made: list[tuple[str, ...]] = []
    threads = [threading.Thread(target=lambda: made.append(world.indices.init(1, 2))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    indices = [name for names in made for name in names if "hysds-" not in name]
    assert len(made) == 3
    assert sorted(indices) == sorted(set(indices))
    assert len(indices) == len(world.indices.all()) == 8


def test_each_document_lies_in_the_generation_of_its_job(world: ElasticWorld) -> None:
    """Jobs and tasks apart; `all` counts them, and those that have not ended; a question looks at all."""
    world.indices.init(1, 2)
    with closing(world.store_beside()) as store:
        ended = _document(2, 2, status="job-failed")
        task = _document(3, 2, resource="task")
        store.write([_document(1, 1), ended, task])
        store.refresh()

        found = {(one.resource, one.generation): one for one in world.indices.all()}

        assert {place: (one.documents, one.live) for place, one in found.items() if one.documents} == {
            (Resource.JOB, 1): (1, 1), (Resource.JOB, 2): (1, 0), (Resource.TASK, 2): (1, 1)
        }  # fmt: skip
        assert all(one.size_bytes > 0 and one.born_ms > 1_700_000_000_000 for one in found.values())
        assert all(one.asked_ms is not None and one.asked_ms >= one.born_ms for one in found.values())
        assert store.search(JobQuery()).total == 3
        assert store.get([task["id"], ended["id"]]) == (task, ended)


def test_a_dropped_generation_is_written_no_more(world: ElasticWorld) -> None:
    """Its documents are gone, the others stay; a late document of it makes no index by accident."""
    world.indices.init(1, 2)
    with closing(world.store_beside()) as store:
        store.write([_document(1, 1), _document(2, 2)])

        assert world.indices.drop(Resource.JOB, 1)
        assert not world.indices.drop(Resource.JOB, 1)

        with pytest.raises(NotInitialised, match="job_status-000001"):
            store.write([_document(1, 1, revision=2), _document(2, 2, revision=2)])
        assert [one and one["revision"] for one in store.get([_document(n, n)["id"] for n in (1, 2)])] == [
            None,
            2,
        ]
        assert (Resource.JOB, 1) not in {(one.resource, one.generation) for one in world.indices.all()}


def test_a_reader_of_before_finds_what_is_written_to_a_new_generation(world: ElasticWorld) -> None:
    """A store that listed the indices earlier looks again before it says that there is no document."""
    world.indices.init(1, 1)
    with closing(world.store_beside()) as store:
        store.write([_document(1, 1)])
        assert store.get(["unknown", _document(1, 1)["id"]])[1] is not None
        world.indices.init(1, 2)
        with closing(world.store_beside()) as other:
            other.write([_document(2, 2)])

        assert store.get([_document(2, 2)["id"]]) == (_document(2, 2),)


def test_the_index_of_workers_is_never_dropped(world: ElasticWorld) -> None:
    """It has no generations."""
    with pytest.raises(Refused, match="does not roll over"):
        world.indices.drop(Resource.WORKER, 1)


def test_foreign_indices_are_left_alone(world: ElasticWorld) -> None:
    """One of HySDS's own names beside ours is neither counted nor changed."""
    world.indices.init(1, 1)
    foreign = f"{world.names.prefix}job_status-2026.08.31"
    world.node.request("PUT", f"/{foreign}", {})

    assert world.indices.init(1, 1) == ()
    assert {one.generation for one in world.indices.all()} == {1}


def test_an_index_that_somebody_named_by_a_date_is_no_generation(world: ElasticWorld) -> None:
    """HySDS's own daily indices may be called `job_status-20260831`, and get all that our template gives."""
    world.indices.init(1, 1)
    world.node.request("PUT", f"/{world.names.prefix}job_status-20260831", {})

    assert {one.generation for one in world.indices.all()} == {1}
    with closing(world.store_beside()) as store:
        store.write([_document(1, 1)])
        assert store.delete([(_document(1, 1)["id"], 1), ("unknown", 1)]) == (True, False)


def test_an_index_that_was_put_back_without_aliases_gets_them(world: ElasticWorld) -> None:
    """As from a snapshot: what is in it was found by nobody, and nothing could be written to it."""
    world.indices.init(1, 2)
    name = world.names.index(Resource.JOB, 1)
    with closing(world.store_beside()) as store:
        store.write([_document(1, 1)])
        world.node.request("DELETE", f"/{name}/_alias/{world.names.reading(Resource.JOB)}")
        assert ("store.hidden", name) in _found(world)
        world.node.request("DELETE", f"/{name}/_alias/*")

        assert world.indices.init(1, 1) == (name,)

        assert store.search(JobQuery()).total == 1
        assert store.write([_document(1, 1, revision=2)])[0].how is Writing.WRITTEN
    assert world.indices.init(1, 1) == ()


def test_a_closed_index_holds_up_and_loses_nothing(world: ElasticWorld) -> None:
    """Its documents are neither refused for good nor taken for missing: all goes on once it is open again."""
    world.indices.init(1, 2)
    name = world.names.index(Resource.JOB, 1)
    with closing(world.store_beside()) as store:
        store.write([_document(1, 1), _document(2, 2)])
        world.node.request("POST", f"/{name}/_close")

        with pytest.raises(Unreachable, match="index_closed"):
            store.write([_document(1, 1, revision=2), _document(2, 2, revision=2)])
        with pytest.raises(Unreachable, match="index_closed"):
            store.get([_document(1, 1)["id"]])
        with pytest.raises(Unreachable, match="index_closed"):
            ElasticStore.search(store, JobQuery())
        assert ("store.closed", name) in _found(world)

        world.node.request("POST", f"/{name}/_open?wait_for_active_shards=1")
        assert store.write([_document(1, 1, revision=2)])[0].how is Writing.WRITTEN
        assert store.search(JobQuery()).total == 2


def test_a_write_alias_of_two_indices_refuses_no_document(world: ElasticWorld) -> None:
    """As after a snapshot was put back under another name, its aliases with it: that is no fault of a document."""
    world.indices.init(1, 1)
    restored = {"aliases": {world.names.writing(Resource.JOB, 1): {}}}
    world.node.request("PUT", f"/{world.names.prefix}restored", restored)
    with closing(world.store_beside()) as store:
        with pytest.raises(Unreachable, match="no write index"):
            store.write([_document(1, 1)])

        world.node.request("DELETE", f"/{world.names.prefix}restored")
        assert store.write([_document(1, 1)])[0].how is Writing.WRITTEN


@pytest.mark.parametrize(("old", "new"), [(1, 2), (2, 1)], ids=["later", "of-a-lost-ledger"])
def test_a_job_that_is_accepted_again_has_one_document(world: ElasticWorld, old: int, new: int) -> None:
    """Its new life is born in another generation; whichever is written first, and however late, the newer stays."""
    world.indices.init(1, 2)
    with closing(world.store_beside()) as store:
        first, last = _document(1, old, revision=5), _document(1, new, revision=7)
        late, early = _document(2, old, revision=5), _document(2, new, revision=7)
        store.write([first, early])

        assert [one.how for one in store.write([last, late])] == [Writing.WRITTEN, Writing.OLDER]

        assert store.get([first["id"], late["id"]]) == (last, early)
        assert store.search(JobQuery()).total == 2
        assert store.write([{**first, "revision": 6}])[0] == Written(Writing.OLDER, 7)


def test_an_index_of_an_earlier_version_learns_new_fields(world: ElasticWorld) -> None:
    """A later HySDS asks for its fields instead of losing documents for them; whoever writes has them added."""
    world.indices.init(1, 1)
    name = world.names.index(Resource.JOB, 1)
    template = world.names.template(Resource.JOB)
    world.node.request("DELETE", f"/{name}")
    world.node.request("DELETE", f"/_index_template/{template}")
    old = mapping.mapping(Resource.JOB)
    del old["properties"]["hint"]
    old["_meta"]["version"] = mapping.VERSION - 1
    aliases = {world.names.writing(Resource.JOB, 1): {}}
    world.node.request("PUT", f"/{name}", {"mappings": {**old, "dynamic": "strict"}, "aliases": aliases})

    with closing(world.store_beside()) as store:
        with pytest.raises(NotInitialised, match="lacks fields of this version"):
            store.write([_document(1, 1, hint="do that")])

        assert world.indices.init(1, 1) == (template, name)

        assert store.write([_document(1, 1, hint="do that")])[0].how is Writing.WRITTEN
    fields = world.node.request("GET", f"/{name}/_mapping")[name]["mappings"]
    assert fields["properties"]["hint"]["type"] == "text"
    assert fields["_meta"]["version"] == mapping.VERSION
