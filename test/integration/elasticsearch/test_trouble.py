"""A server in trouble: what befalls the whole store is an outage and loses nothing; one document's is its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hysds.bootstrap import System
from hysds.cli import parts
from hysds.core.errors import NotInitialised, Unreachable
from hysds.core.query import JobQuery
from hysds.core.searched import Term
from hysds.ports.store import Writing
from services.elastic_node import ElasticNode
from services.http_proxy import Asked, Cut, Delay, Harm, HttpProxy, RefuseItems, Say, no_harm
from services.ports import Reservation
from worlds.searching import document, make_indices, numbers

Systems = Callable[..., System]


def _of_bulks(harm: Harm, most: int | None = None) -> Callable[[Asked], Harm | None]:
    """Harm to bulk requests alone. `most`: to the first ones; None: to all."""
    seen = 0

    def decide(asked: Asked) -> Harm | None:
        nonlocal seen
        if not asked.path.startswith("/_bulk"):
            return None
        seen += 1
        return harm if most is None or seen <= most else None

    return decide


def _hows(system: System, *documents: dict[str, object]) -> list[Writing]:
    return [one.how for one in system.store.write(documents)]


def test_a_server_that_is_not_there_is_an_outage(new_system: Systems) -> None:
    """Nobody listens: writes and questions say so with the address, and no document is refused for it."""
    with Reservation() as port:
        system = new_system(f"http://127.0.0.1:{port.port}")
        for call in (
            lambda: system.store.write([document(1)]),
            lambda: system.store.search(JobQuery()),
            lambda: system.store.get(["a"]),
            lambda: make_indices(system),
        ):
            with pytest.raises(Unreachable, match=f"127.0.0.1:{port.port}"):
                call()


def test_a_search_before_there_is_an_index_finds_nothing(new_system: Systems, bare_prefix: str) -> None:
    """A server that is new, or was emptied, has no page and counts nothing by any facet; that is no error."""
    store = new_system(index_prefix=bare_prefix).store

    page = store.search(JobQuery(facets=(Term.STATUS, Term.PARENT)))

    assert (page.documents, page.total) == ((), 0)
    assert page.counts == {Term.STATUS: (), Term.PARENT: ()}
    assert store.find(JobQuery()).jobs == ()


def test_the_summary_of_a_system_asks_a_busy_store_once(harmed: System, proxy: HttpProxy) -> None:
    """`hysds status` has seconds in all: it tells what the store says, and not that it gave no answer in time."""
    proxy.harm = lambda _: Say(503)

    found = parts.ask(harmed.settings, 60.0)["store"]

    assert not found["reachable"]
    assert "503" in found["error"]
    assert len(proxy.requests) == 1


def test_a_write_before_there_is_an_index_says_what_is_missing(new_system: Systems, bare_prefix: str) -> None:
    """An empty server takes no document by accident; once the indices are made the same write goes through."""
    system = new_system(index_prefix=bare_prefix)

    with pytest.raises(NotInitialised, match="hysds index init"):
        system.store.write([document(1)])
    make_indices(system)

    assert _hows(system, document(1)) == [Writing.WRITTEN]


@pytest.mark.parametrize(
    "harm",
    [Say(429, {"error": {"type": "circuit_breaking_exception", "reason": "Data too large"}}), Say(503), Cut(),
     Cut(is_done=True)],
    ids=["429", "503", "cut before", "cut after"],
)  # fmt: skip
def test_a_moment_of_trouble_is_waited_out(harmed: System, proxy: HttpProxy, harm: Harm) -> None:
    """What the server did not take at first is sent again at once, also where it did take it and could not say so."""
    proxy.harm = _of_bulks(harm, 1)

    answers = _hows(harmed, document(1), document(2))

    taken = Writing.OLDER if harm == Cut(is_done=True) else Writing.WRITTEN
    assert answers == [taken, taken]
    assert harmed.store.get([document(1)["id"], document(2)["id"]]) == (document(1), document(2))


@pytest.mark.parametrize(
    "harm",
    [Say(429), Say(500), Say(503), Cut(), RefuseItems(lambda _: True)],
    ids=["429", "500", "503", "cut", "all items"],
)
def test_trouble_that_lasts_is_an_outage_and_not_a_refusal(
    harmed: System, proxy: HttpProxy, harm: Harm
) -> None:
    """Nothing is answered for any document, so all of them come again; afterwards they go through."""
    proxy.harm = _of_bulks(harm)
    with pytest.raises(Unreachable):
        harmed.store.write([document(1), document(2)])
    proxy.harm = no_harm

    assert _hows(harmed, document(1), document(2)) == [Writing.WRITTEN, Writing.WRITTEN]
    assert harmed.store.dead_letters(10) == ()


def test_only_the_refused_half_of_a_bulk_is_sent_again(harmed: System, proxy: HttpProxy) -> None:
    """Of ten documents every second is told to come later: the next request holds these five."""
    proxy.harm = _of_bulks(RefuseItems(lambda place: place % 2 == 1), 1)

    answers = _hows(harmed, *(document(number) for number in range(10)))

    assert answers == [Writing.WRITTEN] * 10
    _, second = proxy.asked("/_bulk")
    sent = [number for number in range(10) if document(number)["id"].encode() in second.body]
    assert sent == [1, 3, 5, 7, 9]


def test_a_document_that_the_server_refuses_is_refused_alone(harmed: System, proxy: HttpProxy) -> None:
    """The answer holds the server's reason; the others of the bulk are written."""
    reason = "failed to parse field [job.x]"
    # Twice: what can't be indexed as it stands is tried once more in a plainer form.
    both = [_of_bulks(RefuseItems(lambda place: place == 1, 400, "document_parsing_exception", reason), 1)]
    both.append(_of_bulks(RefuseItems(lambda _: True, 400, "document_parsing_exception", reason)))
    proxy.harm = lambda asked: both[0](asked) or (both[1](asked) if len(proxy.asked("/_bulk")) > 1 else None)

    first, second, third = harmed.store.write([document(number) for number in range(3)])

    assert [first.how, third.how] == [Writing.WRITTEN, Writing.WRITTEN]
    assert second.how is Writing.REFUSED
    assert reason in second.reason
    assert numbers(harmed.store.get([document(number)["id"] for number in range(3)])) == [0, None, 2]


def test_a_bulk_that_is_too_large_for_the_server_is_split(harmed: System, proxy: HttpProxy) -> None:
    """413 halves a request as often as needed; a document that is too large alone is refused with its size."""
    huge = document(8, extra="x" * 4_000)
    proxy.harm = lambda asked: Say(413) if len(asked.body) > 4_000 else None

    answers = harmed.store.write([*(document(number) for number in range(8)), huge])

    assert [one.how for one in answers] == [Writing.WRITTEN] * 8 + [Writing.REFUSED]
    assert "bytes" in answers[8].reason


def test_a_server_that_is_too_slow_is_an_outage(
    new_system: Systems, straight: System, proxy: HttpProxy
) -> None:
    """An answer that does not come within `store.timeout` is not waited for; the write may be repeated."""
    impatient = new_system(proxy.url, timeout_s=0.3)
    proxy.harm = _of_bulks(Delay(2.0))

    with pytest.raises(Unreachable, match=r"did not answer within 0\.3 s"):
        impatient.store.write([document(1)])

    assert _hows(straight, document(1, revision=2)) == [Writing.WRITTEN]


def test_a_disk_at_its_flood_stage_is_an_outage(
    straight: System, elastic_server: ElasticNode, index_prefix: str
) -> None:
    """Indices that the server has locked, as it does when its disk is full, take nothing, and lose nothing: what is
    there is still found, and once there is room the same write goes through."""
    straight.store.write([document(1)])
    lock = {"index.blocks.read_only_allow_delete": True}
    elastic_server.request("PUT", f"/{index_prefix}*/_settings?expand_wildcards=all", lock)

    with pytest.raises(Unreachable, match=r"disk|read.only"):
        straight.store.write([document(2)])
    assert straight.store.get([document(1)["id"]]) == (document(1),)

    unlock = {"index.blocks.read_only_allow_delete": None}
    elastic_server.request("PUT", f"/{index_prefix}*/_settings?expand_wildcards=all", unlock)
    assert _hows(straight, document(2)) == [Writing.WRITTEN]
    assert straight.store.dead_letters(10) == ()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (Say(200, {"nodes": {"a": {"version": "7.17.9"}}}), r"is Elasticsearch 7\.17\.9.*version 8 or later"),
        (Say(404, {"error": "no such page"}), "is no Elasticsearch"),
    ],
    ids=["too old", "another server"],
)
def test_a_server_that_can_not_be_used_is_named(
    new_system: Systems, proxy: HttpProxy, said: Say, told: str
) -> None:
    """A server of another kind or time is refused with a sentence before anything is written to it."""
    system = new_system(proxy.url)
    proxy.harm = lambda asked: said if asked.path.startswith("/_nodes/_local") else None

    with pytest.raises(Unreachable, match=told):
        system.store.write([document(1)])

    assert [asked.method for asked in proxy.requests] == ["GET"]


def test_a_part_that_does_not_answer_is_not_half_an_answer(harmed: System, proxy: HttpProxy) -> None:
    """A search of which one shard failed is an outage: no page that lacks jobs without saying so."""
    harmed.store.write([document(1)])
    failed = {
        "error": {"type": "search_phase_execution_exception", "reason": "Partial shards failure"},
        "status": 503,
    }
    proxy.harm = lambda asked: Say(503, failed) if "_search" in asked.path else None

    with pytest.raises(Unreachable, match="Partial shards failure"):
        harmed.store.search(JobQuery())
    searches = proxy.asked("_search")
    assert all("allow_partial_search_results=false" in asked.path for asked in searches)
