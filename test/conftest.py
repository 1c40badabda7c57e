"""Fixtures that any test may ask for: real servers, each shared by the session, and names of one's own.

A missing server skips the test with its reason, and fails it where CI=true.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

import pytest
from hypothesis import settings

from services.authority import Certificates, issue
from services.elastic_node import ElasticNode
from services.elasticsearch import ElasticOptions, ElasticServer, elastic_program
from services.process import ServerProcess
from services.prometheus import PrometheusServer, prometheus_program
from services.rabbitmq import RabbitOptions, RabbitServer, rabbitmq_program
from services.redis import RedisOptions, RedisServer, redis_program, valkey_program
from services.sharing import session_directory, shared

# Hypothesis times each example otherwise, and fails one that a busy machine held up: no test is about time.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

Server = TypeVar("Server", bound=ServerProcess)
Options = TypeVar("Options")


@pytest.fixture
def unique_name() -> str:
    """A prefix for keys and queues that no other test has."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates, right and wrong ones, and the authority that clients trust."""
    return issue(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def _session_valkey() -> Iterator[RedisServer]:
    yield from _running(RedisServer(valkey_program()))


@pytest.fixture(scope="session")
def _session_redis() -> Iterator[RedisServer]:
    yield from _running(RedisServer(redis_program()))


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[RabbitServer]:
    """The session's RabbitMQ; give your queues a `unique_name`. To stop one, `start_rabbitmq` your own."""
    yield from _running(RabbitServer(rabbitmq_program()))


@pytest.fixture(scope="session")
def elastic_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ElasticNode]:
    """The Elasticsearch that all workers of the session share; take an `own_prefix` of it for your indices.

    To stop one, or to change what holds for the whole cluster, `start_elastic` your own.
    """
    program = elastic_program()
    with shared(session_directory(tmp_path_factory), "elastic", lambda: ElasticServer(program)) as node:
        yield node


@pytest.fixture(scope="session")
def tls_elastic_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ElasticNode]:
    """The same with TLS and users, with an authority of its own in `node.authority`."""
    program, directory = elastic_program(), session_directory(tmp_path_factory)

    def make() -> ElasticServer:
        issued = issue(tmp_path_factory.mktemp("elastic"))
        return ElasticServer(program, ElasticOptions(issued.right, issued.authority))

    with shared(directory, "tls-elastic", make) as node:
        yield node


@pytest.fixture
def prometheus_server() -> Iterator[PrometheusServer]:
    """A Prometheus of your own in a second; tell it what to `scrape`."""
    yield from _running(PrometheusServer(prometheus_program()))


@pytest.fixture
def index_prefix(elastic_server: ElasticNode) -> Iterator[str]:
    """Index names of `elastic_server` that begin with this are this test's, and gone after it."""
    with elastic_server.own_prefix() as prefix:
        yield prefix


@pytest.fixture
def valkey_server(_session_valkey: RedisServer) -> RedisServer:
    """The session's Valkey, empty. To stop one, `start_valkey` your own."""
    _session_valkey.flush()
    return _session_valkey


@pytest.fixture
def redis_server(_session_redis: RedisServer) -> RedisServer:
    """The session's Debian Redis, empty. To stop one, `start_redis` your own."""
    _session_redis.flush()
    return _session_redis


@pytest.fixture
def start_valkey() -> Iterator[Callable[[RedisOptions], RedisServer]]:
    """Start a Valkey of your own, to configure, stop and kill as you like; it ends with the test."""
    program = valkey_program()
    yield from _starter(partial(RedisServer, program))


@pytest.fixture
def start_redis() -> Iterator[Callable[[RedisOptions], RedisServer]]:
    """Start a Debian Redis of your own (the one of the two that speaks TLS); it ends with the test."""
    program = redis_program()
    yield from _starter(partial(RedisServer, program))


@pytest.fixture
def start_rabbitmq() -> Iterator[Callable[[RabbitOptions], RabbitServer]]:
    """Start a RabbitMQ of your own in some ten seconds; it ends with the test."""
    program = rabbitmq_program()
    yield from _starter(partial(RabbitServer, program))


@pytest.fixture
def start_elastic() -> Iterator[Callable[[ElasticOptions], ElasticServer]]:
    """Start an Elasticsearch of your own in 10 to 20 s; it ends with the test."""
    program = elastic_program()
    yield from _starter(partial(ElasticServer, program))


def _running(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.remove()


def _starter(make: Callable[[Options], Server]) -> Iterator[Callable[[Options], Server]]:
    with contextlib.ExitStack() as stack:

        def start(options: Options) -> Server:
            server = make(options)
            stack.callback(server.remove)
            server.start()
            return server

        yield start
