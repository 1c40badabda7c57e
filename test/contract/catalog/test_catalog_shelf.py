"""What every shelf for published job types does: in memory, on Valkey, on Debian's Redis."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hysds.adapters.ledger.catalog_memory import MemoryCatalogShelf
from hysds.adapters.ledger.catalog_redis import RedisCatalogShelf
from hysds.adapters.ledger.server import Server
from hysds.core.errors import Internal
from hysds.core.job_types import catalog
from hysds.core.job_types.catalog import Command, JobType
from hysds.ports.catalog import CatalogShelf

ONE = catalog.catalog([JobType("job:one", command=Command("/bin/one"))])
TWO = catalog.catalog([JobType("job:two", command=Command("/bin/zwei", arguments=("ä", "$n")))])


@pytest.fixture(params=["memory", "valkey", "redis"])
def shelf(request: pytest.FixtureRequest) -> Iterator[CatalogShelf]:
    """An empty shelf of each kind."""
    if request.param == "memory":
        yield MemoryCatalogShelf()
        return
    server = Server(request.getfixturevalue(f"{request.param}_server").unix_url)
    yield RedisCatalogShelf(server, "t")
    server.close()


def test_a_new_shelf_holds_nothing(shelf: CatalogShelf) -> None:
    """No digest, no catalogue."""
    assert (shelf.digest(), shelf.published()) == ("", None)


def test_what_was_published_is_what_is_read(shelf: CatalogShelf) -> None:
    """The latest, whole, under its digest."""
    assert shelf.publish(ONE, "")
    assert shelf.publish(TWO, ONE.digest)

    assert shelf.digest() == TWO.digest
    assert shelf.published() == TWO


def test_of_two_who_replace_the_same_one_comes_second(shelf: CatalogShelf) -> None:
    """Whoever saw what no longer stands there changes nothing."""
    assert shelf.publish(ONE, "")

    assert not shelf.publish(TWO, "")
    assert not shelf.publish(TWO, TWO.digest[::-1])
    assert shelf.published() == ONE


def test_a_publication_may_be_repeated(shelf: CatalogShelf) -> None:
    """Its answer got lost, say: what stands there already is published."""
    assert shelf.publish(ONE, "")

    assert shelf.publish(ONE, "")
    assert shelf.digest() == ONE.digest


def test_an_empty_catalogue_can_be_published(shelf: CatalogShelf) -> None:
    """All types were taken away; that is not the same as nothing published."""
    assert shelf.publish(catalog.EMPTY, "")

    assert shelf.digest() == catalog.EMPTY.digest
    assert shelf.published() == catalog.EMPTY


def test_a_key_of_another_type_is_left_as_it_is(valkey_server) -> None:
    """The script checks before it writes."""
    server = Server(valkey_server.unix_url)
    server.send("SET", "{t}:catalog", "mine")

    with pytest.raises(Internal, match="should be a hash"):
        RedisCatalogShelf(server, "t").publish(ONE, "")
    assert server.send("GET", "{t}:catalog") == "mine"
    server.close()
