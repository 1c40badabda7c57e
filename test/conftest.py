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
from services.process import ServerProcess
from services.rabbitmq import RabbitOptions, RabbitServer, rabbitmq_program
from services.redis import RedisOptions, RedisServer, redis_program, valkey_program

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
