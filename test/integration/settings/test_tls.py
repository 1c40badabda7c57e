"""TLS as the settings ask for it, against real servers with certificates of a self-made authority."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from celery import Celery

from hysds.settings import celery, load, model
from services.authority import Certificate, Certificates
from services.rabbitmq import RabbitOptions, RabbitServer
from services.redis import RedisOptions, RedisServer

WRONG = ("wrong_name", "expired", "other")


def settings(url: str, authority: Path | None, section: str) -> model.Settings:
    """Settings with this server as the ledger's or the broker's."""
    variables = {"HYSDS_CONFIG": "", f"HYSDS_{section}_URL": url}
    if authority is not None:
        variables[f"HYSDS_{section}_CA_FILE"] = str(authority)
    return load.load(None, variables).settings


def ping(url: str, authority: Path | None) -> bool:
    """Talk to a Redis server as the ledger's client would."""
    chosen = settings(url, authority, "LEDGER")
    with redis.Redis.from_url(
        chosen.ledger_url, **celery.redis_tls(chosen.ledger_url, chosen.ledger.tls)
    ) as client:
        return bool(client.ping())


def connect(url: str, authority: Path | None) -> None:
    """Connect to a broker as Celery would."""
    app = Celery("test", set_as_current=False)
    app.conf.update(celery.celery_config(settings(url, authority, "BROKER")))
    with app.connection_for_write() as connection:
        connection.default_channel.close()


def certificate_problem(error: BaseException | None) -> str:
    """Why a certificate was not accepted, from the error or one of its causes; empty if that was not the reason."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        for argument in error.args:
            if isinstance(argument, ssl.SSLCertVerificationError):
                return argument.verify_message
            if isinstance(argument, str) and "certificate verify failed" in argument:
                return argument
        error = error.__cause__ or error.__context__
    return ""


@contextmanager
def tls_server(certificate: Certificate) -> Iterator[int]:
    """A server that shakes hands with whoever comes and then hangs up; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_shake_hands, args=(listener, context))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _shake_hands(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        try:
            context.wrap_socket(connection, server_side=True).close()
        except OSError:
            connection.close()


@pytest.mark.parametrize("through", ["redis", "celery"])
def test_rediss_connects_to_the_right_server(
    start_redis: Callable[[RedisOptions], RedisServer], certificates: Certificates, through: str
) -> None:
    """The ledger's client, and Celery with the same server as its broker."""
    server = start_redis(RedisOptions(password="p@ss/word", certificate=certificates.right))

    if through == "redis":
        assert ping(server.url, certificates.authority)
    else:
        connect(server.url, certificates.authority)


@pytest.mark.parametrize("through", [ping, connect])
@pytest.mark.parametrize("which", WRONG)
def test_rediss_refuses_a_server_with_a_wrong_certificate(
    start_redis: Callable[[RedisOptions], RedisServer],
    certificates: Certificates,
    which: str,
    through: Callable[[str, Path | None], object],
) -> None:
    """Another host's name, one that ended, another authority; each is refused for its certificate alone."""
    server = start_redis(RedisOptions(certificate=getattr(certificates, which)))

    with pytest.raises(Exception, match=r"(?i)certificate|ssl") as caught:
        through(server.url, certificates.authority)

    assert certificate_problem(caught.value)


def test_without_an_authority_of_its_own_the_systems_count(
    start_redis: Callable[[RedisOptions], RedisServer], certificates: Certificates
) -> None:
    """They have never heard of ours: unverified is no fallback."""
    server = start_redis(RedisOptions(certificate=certificates.right))

    with pytest.raises(redis.ConnectionError) as caught:
        ping(server.url, None)

    assert certificate_problem(caught.value)


def test_amqps_connects_to_the_right_server(
    start_rabbitmq: Callable[[RabbitOptions], RabbitServer], certificates: Certificates
) -> None:
    """And the same server is refused by whoever trusts another authority."""
    server = start_rabbitmq(RabbitOptions(certificate=certificates.right))

    connect(server.tls_url, certificates.authority)
    with pytest.raises(Exception, match=r"(?i)certificate") as caught:
        connect(server.tls_url, certificates.other_authority)

    assert certificate_problem(caught.value)


@pytest.mark.parametrize("which", WRONG)
def test_amqps_refuses_a_server_with_a_wrong_certificate(certificates: Certificates, which: str) -> None:
    """The refusal comes with the handshake, so any server that speaks TLS will do."""
    with (
        tls_server(getattr(certificates, which)) as port,
        pytest.raises(Exception, match=r"(?i)certificate") as caught,
    ):
        connect(f"amqps://guest:guest@localhost:{port}//", certificates.authority)

    assert certificate_problem(caught.value)


@pytest.mark.parametrize("scheme", ["redis", "amqp", "rediss", "amqps"])
def test_an_absent_broker_costs_a_publisher_one_error(certificates: Certificates, scheme: str) -> None:
    """kombu alone would try again for ever, and a submission would hang with it."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]

    with pytest.raises(Exception, match=r"(?i)refused|111"):
        connect(
            f"{scheme}://localhost:{port}/", certificates.authority if scheme in ("rediss", "amqps") else None
        )
