"""A service behind Sentinels that want passwords and speak TLS, as the ledger's client and as Celery reach it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery import Celery

from hysds.adapters.ledger.server import Server
from hysds.core.errors import Unreachable
from hysds.settings import celery, load, model
from services.authority import Certificates
from services.redis import RedisOptions, RedisServer, redis_program
from services.sentinel import SERVICE, SentinelOptions, SentinelServer

SERVER_PASSWORD = "p@ss-word"
SENTINEL_PASSWORD = "sentinels-own"


@pytest.fixture
def sentinel(
    start_redis: Callable[[RedisOptions], RedisServer], certificates: Certificates
) -> Iterator[SentinelServer]:
    """A Sentinel and the primary that it watches, with a password each, both with TLS alone."""
    primary = start_redis(RedisOptions(password=SERVER_PASSWORD, certificate=certificates.right))
    options = SentinelOptions(SENTINEL_PASSWORD, SERVER_PASSWORD, certificates)
    made = SentinelServer(redis_program(), primary.port, 1, options)
    try:
        made.start()
        yield made
    finally:
        made.remove()


def settings(sentinel: SentinelServer, authority: Path, password: str) -> model.Settings:
    """Settings with this service as the ledger's and the broker's."""
    url = f"rediss+sentinel://:p%40ss-word@localhost:{sentinel.port}/{SERVICE}?sentinel_password={password}"
    variables = {"HYSDS_CONFIG": "", "HYSDS_LEDGER_URL": url, "HYSDS_LEDGER_CA_FILE": str(authority)}
    return load.load(None, variables).settings


def test_ledger_and_broker_are_reached_through_sentinels_with_tls_and_passwords(
    sentinel: SentinelServer, certificates: Certificates
) -> None:
    """Sentinels and servers have a password each; both certificates are verified."""
    chosen = settings(sentinel, certificates.authority, SENTINEL_PASSWORD)
    server = Server(chosen.ledger_url, chosen.ledger.tls)
    app = Celery("test", set_as_current=False)
    app.conf.update(celery.celery_config(chosen))

    assert server.send("PING") == "PONG"
    with app.connection_for_write() as connection, connection.channel() as channel:
        channel.queue_delete("nobody's")
    server.close()


def test_a_wrong_authority_or_password_is_refused_and_told(
    sentinel: SentinelServer, certificates: Certificates
) -> None:
    """Unverified is no fallback, and no password is shown."""
    for authority, password, told in (
        (certificates.other_authority, SENTINEL_PASSWORD, "look at ledger.ca_file"),
        (certificates.authority, "guessed", "look at sentinel_password"),
    ):
        chosen = settings(sentinel, authority, password)
        server = Server(chosen.ledger_url, chosen.ledger.tls)

        with pytest.raises(Unreachable, match=told) as caught:
            server.send("PING")

        assert not any(secret in str(caught.value) for secret in (password, "p%40ss", SERVER_PASSWORD))
        server.close()
