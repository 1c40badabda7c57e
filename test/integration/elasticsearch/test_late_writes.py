"""Late, doubled and reordered writes on the real server: older never replaces newer, whoever writes when."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hysds.ports.store import Store, Writing, Written
from services.elastic_node import ElasticNode
from worlds.elastic_store import ElasticWorld

_WRITERS = 3
_IDS = [f"00000000-0000-4000-8000-{number:012}" for number in range(5)]
_WRITES = st.lists(st.tuples(st.sampled_from(_IDS), st.integers(1, 12)), min_size=1, max_size=40)


@pytest.fixture(scope="module")
def world(elastic_server: ElasticNode) -> Iterator[ElasticWorld]:
    """Its stores are emptied between examples."""
    with elastic_server.own_prefix() as prefix:
        world = ElasticWorld(elastic_server, prefix)
        yield world
        world.close()


def _document(id_: str, revision: int, writer: int) -> dict[str, Any]:
    """Each writer's tells who wrote it; of one revision all are good."""
    return {"id": id_, "revision": revision, "status": f"of-{revision}", "hint": f"{revision} {writer}"}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=st.tuples(*[_WRITES] * _WRITERS), batch=st.integers(1, 7))
def test_the_newest_revision_stays_whatever_the_order(
    world: ElasticWorld, writes: Sequence[Sequence[tuple[str, int]]], batch: int
) -> None:
    """Three writers at once with revisions of the same jobs in any order, each any number of times: each revision is
    written at most once, who comes late is told of one as new, and in the end the newest stands there whole."""
    with ExitStack() as stack:
        store = stack.enter_context(closing(world.store()))
        others = [stack.enter_context(closing(world.store_beside())) for _ in writes]
        told: list[list[tuple[str, int, Written]]] = [[] for _ in writes]
        threads = [
            threading.Thread(target=_write, args=(others[at], writes[at], at, batch, told[at]))
            for at in range(_WRITERS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        answers = [answer for of_one in told for answer in of_one]
        assert len(answers) == sum(len(of_one) for of_one in writes)
        assert all(_is_sound(revision, answer) for _, revision, answer in answers)
        newest = {id_: max(revision for name, revision, _ in answers if name == id_) for id_, _, _ in answers}
        for id_, held in zip(newest, store.get(list(newest)), strict=True):
            assert held is not None
            assert (held["revision"], held["status"]) == (newest[id_], f"of-{newest[id_]}")
            assert held["hint"].startswith(f"{newest[id_]} ")
        written = [(id_, revision) for id_, revision, answer in answers if answer.how is Writing.WRITTEN]
        assert len(written) == len(set(written))


def _write(
    store: Store,
    writes: Sequence[tuple[str, int]],
    writer: int,
    batch: int,
    told: list[tuple[str, int, Written]],
) -> None:
    for start in range(0, len(writes), batch):
        part = writes[start : start + batch]
        answers = store.write([_document(id_, revision, writer) for id_, revision in part])
        told += [(*one, answer) for one, answer in zip(part, answers, strict=True)]


def _is_sound(revision: int, answer: Written) -> bool:
    """Written as it was, or kept away by what is as new."""
    if answer.how is Writing.WRITTEN:
        return answer.held == revision
    return answer.how is Writing.OLDER and answer.held >= revision
