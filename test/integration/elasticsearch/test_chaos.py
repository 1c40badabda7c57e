"""The store is whole after Elasticsearch and the indexer were killed again and again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from services.elasticsearch import ElasticOptions, ElasticServer
from services.redis import Appendfsync, RedisOptions, RedisServer
from worlds.searched_chaos import SearchedChaos

_JOBS = 200


def test_a_tormented_store_says_what_the_ledger_says(
    start_valkey: Callable[[RedisOptions], RedisServer],
    start_elastic: Callable[[ElasticOptions], ElasticServer],
    tmp_path: Path,
) -> None:
    """While jobs run the indexer is killed four times and Elasticsearch once, in the middle of writes; all jobs end
    meanwhile, each has one document that says so, and `hysds index verify` finds no difference, archive included.
    """
    chaos = SearchedChaos(
        tmp_path, start_valkey(RedisOptions(Appendfsync.EVERYSEC)), start_elastic(ElasticOptions())
    )
    try:
        ids = chaos.torment(_JOBS, indexer_kills=4, server_kills=1)
        code, said = chaos.verify()

        assert (chaos.indexer_kills, chaos.server_kills) == (4, 1)
        assert code == 0, said
        assert chaos.statuses() == {"job-completed": _JOBS}
        assert all(chaos.running.system.store.get(ids))
    finally:
        chaos.running.close()
