"""Documents into Elasticsearch, how soon they are found, and how fast among a million, there and in SQLite."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch, helpers

from benchmarks import ledger as ledgers
from benchmarks import sampling, store
from benchmarks.processes import directory
from benchmarks.row import Samples
from benchmarks.server import server
from benchmarks.system import duties
from hysds.bootstrap import System
from hysds.core import where
from hysds.core.query import JobQuery, Span
from hysds.core.requests import Acceptance
from hysds.core.searched import Term
from hysds.ports.store import Document, Writing
from hysds.settings.model import Settings
from hysds.settings.servers import Store
from services.elasticsearch import ElasticOptions, ElasticServer, elastic_program

_BATCH = 500
_ROUNDS = 8
_JOBS_A_ROUND = 4_000
_ONE_BY_ONE = 300
_RATE = 300
_FOR_S = 20.0
_LOOK_EVERY_S = 0.02
_REFRESH_S = 1.0
_MILLION = 1_000_000
_QUESTIONS = 200


@contextlib.contextmanager
def elastic() -> Iterator[ElasticServer]:
    """A server that only this benchmark uses, with its compiler whole and 1 GB for it.

    Raises: RuntimeError where it is not installed.
    """
    try:
        started = ElasticServer(elastic_program(), ElasticOptions(heap_mb=1024, java_options=""))
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        raise RuntimeError(str(missing)) from None
    try:
        started.start()
        yield started
    finally:
        started.remove()


@contextlib.contextmanager
def opened(home: Path, url: str | None) -> Iterator[System]:
    """A system at `home` with the indices of its store; `url` None is SQLite."""
    with contextlib.closing(System(Settings(home=home, store=Store(url=url)))) as system:
        if system.indices is not None:
            system.indices.init(1, 1)
        yield system


def elastic_rate() -> Samples:
    """Jobs a second that the indexer takes from the ledger into Elasticsearch; the peer: helpers.bulk, one each."""
    with elastic() as started, directory() as home, server(home), opened(home, started.url) as system:
        client = Elasticsearch(started.url)
        made = store.documents_of_jobs()

        def peer() -> float:
            return sampling.rate(
                partial(_one_by_one, client, itertools.islice(made, _ONE_BY_ONE)), _ONE_BY_ONE
            )

        with contextlib.closing(client):
            return sampling.alternate(
                partial(_indexed, system, ledgers.submissions()), peer, _ROUNDS, warm_ups=2
            )


def elastic_writes() -> Samples:
    """Documents a second that the store in Elasticsearch takes, 500 at once; the peer: helpers.bulk, an event each."""
    with elastic() as started, directory() as home, opened(home, started.url) as system:
        client = Elasticsearch(started.url)
        made = store.documents_of_jobs()

        def ours() -> float:
            batches = [list(itertools.islice(made, _BATCH)) for _ in range(4)]
            return sampling.rate(partial(_write_all, system, batches), 4 * _BATCH)

        def peer() -> float:
            return sampling.rate(
                partial(_one_by_one, client, itertools.islice(made, _ONE_BY_ONE)), _ONE_BY_ONE
            )

        with contextlib.closing(client):
            return sampling.alternate(ours, peer, _ROUNDS, warm_ups=3)


def searchable() -> Samples:
    """From the answer to a submission until a search finds the job, at 300 jobs a second; the peer: the server's own
    time between refreshes."""
    with (
        elastic() as started,
        directory() as home,
        server(home),
        opened(home, started.url) as system,
        duties(home, HYSDS_STORE_URL=started.url),
    ):
        endless = ledgers.submissions()
        _accept_tagged(system, endless, "warm")
        while not _is_found(system, "warm"):  # the indexer has started by then
            time.sleep(_LOOK_EVERY_S)
        return Samples(tuple(_lags(system, endless)), (_REFRESH_S,))


def elastic_search() -> Samples:
    """One of ten kinds of question among 10^6 jobs in Elasticsearch; the peer: the server's health, asked alike."""
    with elastic() as started, directory() as home, opened(home, started.url) as system:
        _fill(system)
        return _asked(system, lambda: started.node.request("GET", "/_cluster/health"))


def sqlite_search() -> Samples:
    """One of ten kinds of question among 10^6 jobs in SQLite; the peer: one document by its id."""
    with directory() as home, opened(home, None) as system:
        ids = _fill(system)
        return _asked(system, lambda: system.store.get(ids[:1]))


def _indexed(system: System, endless: Iterator[Acceptance], accepted: list[float] | None = None) -> float:
    """Jobs a second; `accepted` takes the rate at which the ledger took them."""
    jobs = list(itertools.islice(endless, _JOBS_A_ROUND))
    batches = [jobs[start : start + _BATCH] for start in range(0, len(jobs), _BATCH)]
    for batch in batches:
        system.ledger.accept(batch)
    indexer = system.indexer()

    def index() -> None:
        left = len(jobs)
        while left:
            left -= indexer.step().entries

    return sampling.rate(index, len(jobs))


def _write_all(system: System, batches: Sequence[Sequence[Document]]) -> None:
    for batch in batches:
        answers = system.store.write(batch)
        assert all(answer.how is Writing.WRITTEN for answer in answers), answers[0]


def _one_by_one(client: Elasticsearch, made: Iterator[Document]) -> None:
    for document in made:
        action = {"_index": "peer", "_id": document["id"], "version": document["revision"]}
        source = {name: value for name, value in document.items() if name != "_id"}
        helpers.bulk(client, [{**action, "version_type": "external", "_source": source}])


def _lags(system: System, endless: Iterator[Acceptance]) -> list[float]:
    """Seconds, one a batch of a tenth of a second."""
    waiting: list[tuple[float, str]] = []
    lags: list[float] = []
    began = time.monotonic()
    for number in itertools.count():
        due = began + number / 10
        if due - began > _FOR_S:
            break
        while time.monotonic() < due or (waiting and due - began > _FOR_S - 0.1):
            if waiting and _is_found(system, waiting[0][1]):
                lags.append(time.monotonic() - waiting.pop(0)[0])
            time.sleep(_LOOK_EVERY_S)
        tag = f"batch-{number}"
        _accept_tagged(system, endless, tag)
        waiting.append((time.monotonic(), tag))
    return lags


def _accept_tagged(system: System, endless: Iterator[Acceptance], tag: str) -> None:
    """A tenth of a second's jobs."""
    jobs = itertools.islice(endless, _RATE // 10)
    system.ledger.accept(
        [replace(job, spec=json.dumps({**json.loads(job.spec), "tag": tag})) for job in jobs]
    )


def _is_found(system: System, tag: str) -> bool:
    return system.store.find(JobQuery(tag=frozenset({tag}), limit=1)).total == _RATE // 10


def _fill(system: System) -> list[str]:
    """10^6 jobs of some types, users, queues and ends; the ids of the first batch."""
    first: list[str] = []
    endless = store.documents_of_jobs()
    for number in range(_MILLION // _BATCH):
        batch = [
            _varied(at, made) for at, made in enumerate(itertools.islice(endless, _BATCH), number * _BATCH)
        ]
        _write_all(system, [batch])
        first = first or [one["id"] for one in batch]
    system.store.refresh()
    return first


def _varied(number: int, made: Document) -> dict[str, Any]:
    job = made["job"]
    params = {"scene": number, "site": f"site-{number % 997}"}
    return {
        **made,
        "status": ("job-completed", "job-completed", "job-failed", "job-queued")[number % 4],
        "type": f"job:kind-{number % 23}",
        "job": {
            **job,
            "tag": f"tag-{number % 101}",
            "name": f"kind-{number % 23}-scene-{number}",
            "username": f"user-{number % 53}",
            "params": params,
        },
    }


def _questions() -> Iterator[JobQuery]:
    failed = frozenset({"job-failed"})
    for number in itertools.count():
        yield from (
            JobQuery(limit=50),
            JobQuery(status=failed, limit=50),
            JobQuery(status=failed, type=frozenset({f"job:kind-{number % 23}"}), limit=50),
            JobQuery(tag=frozenset({f"tag-{number % 101}"}), limit=50),
            JobQuery(user=frozenset({f"user-{number % 53}"}), status=failed, limit=50),
            JobQuery(text=f"scene-{number * 997}", limit=50),
            JobQuery(text=f"kind-{number % 23}", limit=50),
            JobQuery(where=(where.read(f"params.site=site-{number % 997}"),), limit=50),
            JobQuery(
                accepted=Span(store.BASE_MS + number * 1000, store.BASE_MS + number * 1000 + 60_000), limit=50
            ),
            JobQuery(status=failed, facets=(Term.TYPE,), limit=50),
        )


def _asked(system: System, peer: Callable[[], object]) -> Samples:
    questions = _questions()
    ours = partial(sampling.duration, lambda: system.store.search(next(questions)))
    return sampling.alternate(ours, partial(sampling.duration, peer), _QUESTIONS, warm_ups=20)
