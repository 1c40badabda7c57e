"""What Celery and redis clients are told; checked against the Celery that is installed."""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.app.defaults import DEFAULTS

from hysds.settings import celery, load, model, servers


def settings(**variables: str) -> model.Settings:
    """Settings of an environment that holds only these variables."""
    return load.load(None, {"HYSDS_HOME": "/h", "HYSDS_CONFIG": ""} | variables).settings


def configured(**variables: str) -> Celery:
    """An application with our configuration; it connects to nothing."""
    app = Celery("test", set_as_current=False)
    app.conf.update(celery.celery_config(settings(**variables)))
    return app


def test_every_key_is_one_that_celery_knows() -> None:
    """A key that Celery does not know would be ignored without a word."""
    assert set(celery.celery_config(settings())) - set(DEFAULTS) == set()


def test_the_configuration_is_plain_data() -> None:
    """Another process, or a rendered file, can carry it."""
    config = celery.celery_config(settings(HYSDS_BROKER_URL="amqps://u:p@h/"))

    assert json.loads(json.dumps(config)) == config


def test_a_bell_is_acknowledged_when_heard_and_leaves_no_result() -> None:
    """What the ledger does is done nowhere else."""
    conf = configured().conf

    assert conf.task_acks_late is False
    assert conf.worker_prefetch_multiplier == 1
    assert conf.task_ignore_result is True
    assert conf.result_backend is None
    assert conf.worker_cancel_long_running_tasks_on_connection_loss is False
    assert conf.broker_connection_max_retries is None
    assert conf.task_default_delivery_mode == "transient"
    assert conf.worker_send_task_events is True


def test_only_json_is_accepted() -> None:
    """A pickle in a message is refused before anything of it is read."""
    conf = configured().conf

    assert conf.accept_content == conf.result_accept_content == ["json"]
    assert {conf.task_serializer, conf.event_serializer, conf.result_serializer} == {"json"}


def test_no_pool_is_configured() -> None:
    """Celery would ignore `-P` on the command line."""
    assert "worker_pool" not in celery.celery_config(settings())


def test_a_worker_consumes_the_queues_and_slots_of_the_settings() -> None:
    """Plain `celery worker` without -Q and -c does as `hysds worker` does."""
    app = configured(HYSDS_WORKER_QUEUES="gpu,cpu", HYSDS_WORKER_SLOTS="3")

    assert list(app.amqp.queues.consume_from) == ["gpu", "cpu"]
    assert app.conf.task_default_queue == "gpu"
    assert app.conf.worker_concurrency == 3


def test_a_queue_is_declared_alike_by_those_who_know_it_and_those_who_do_not() -> None:
    """A sender makes a queue from its name alone; RabbitMQ refuses a second declaration that differs."""
    known = configured(HYSDS_WORKER_QUEUES="gpu").amqp.queues["gpu"]
    missing = configured(HYSDS_WORKER_QUEUES="other").amqp.queues["gpu"]

    def declared(queue: Any) -> tuple[Any, ...]:
        exchange = queue.exchange
        return (queue.name, queue.routing_key, queue.durable, queue.queue_arguments, queue.exclusive,
                queue.auto_delete, exchange.name, exchange.type, exchange.durable)  # fmt: skip

    assert declared(known) == declared(missing)


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({}, {"transport_cls": "redis", "hostname": "socket:///h/run/valkey.sock?virtual_host=1"}),
        ({"HYSDS_LEDGER_URL": "redis://:p%40w@h:7/3"}, {"hostname": "h", "port": 7, "virtual_host": "4"}),
        (
            {"HYSDS_BROKER_URL": "amqp://u:pw@h/v"},
            {"transport_cls": "amqp", "userid": "u", "virtual_host": "v"},
        ),
        ({"HYSDS_BROKER_URL": "pyamqp://h"}, {"transport_cls": "amqp", "hostname": "h"}),
    ],
)
def test_kombu_reads_the_broker_from_the_url(variables: dict[str, str], place: dict[str, object]) -> None:
    """The embedded server's socket, the ledger's server in its next database, RabbitMQ."""
    connection = configured(**variables).connection_for_write()

    assert {name: getattr(connection, name) for name in place} == place
    assert not connection.ssl


def test_waits_on_the_broker_are_bounded() -> None:
    """kombu alone tries to connect for ever, and waits for ever on a half-open connection."""
    options = configured(
        HYSDS_LEDGER_URL="redis://h", HYSDS_BROKER_CONNECT_TIMEOUT="3s"
    ).conf.broker_transport_options
    over_amqp = configured(HYSDS_BROKER_URL="amqp://h").conf.broker_transport_options

    assert options["max_retries"] == over_amqp["max_retries"] == 0
    assert options["socket_connect_timeout"] == 3.0
    assert options["socket_timeout"] > 1  # kombu's blocking pop lasts so long
    assert options["health_check_interval"] > 0


def test_amqps_compares_certificate_and_name(tmp_path: Path) -> None:
    """py-amqp looks at the name only if it is told it."""
    authority = tmp_path / "ca.pem"
    authority.touch()

    assert configured(
        HYSDS_BROKER_URL="amqps://u:pw@rabbit.example:5671/", HYSDS_BROKER_CA_FILE=str(authority)
    ).conf.broker_use_ssl == {
        "cert_reqs": ssl.CERT_REQUIRED,
        "server_hostname": "rabbit.example",
        "ca_certs": str(authority),
    }


def test_rediss_compares_certificate_and_name_for_ledger_and_broker(tmp_path: Path) -> None:
    """Without a URL of its own the broker has the ledger's TLS; without a ca_file the system's authorities count."""
    for name in ("ca.pem", "us.pem", "us.key"):
        (tmp_path / name).touch()
    chosen = settings(
        HYSDS_LEDGER_URL="rediss://h",
        HYSDS_LEDGER_CA_FILE=str(tmp_path / "ca.pem"),
        HYSDS_LEDGER_CERT_FILE=str(tmp_path / "us.pem"),
        HYSDS_LEDGER_KEY_FILE=str(tmp_path / "us.key"),
        HYSDS_LEDGER_CIPHERS="HIGH",
    )
    expected = {
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
        "ssl_ca_certs": str(tmp_path / "ca.pem"),
        "ssl_certfile": str(tmp_path / "us.pem"),
        "ssl_keyfile": str(tmp_path / "us.key"),
        "ssl_ciphers": "HIGH",
    }

    assert celery.redis_tls(chosen.ledger_url, chosen.ledger.tls) == expected
    assert celery.celery_config(chosen)["broker_use_ssl"] == expected
    assert celery.redis_tls("rediss://h", servers.Tls()) == {
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
    }
    assert celery.redis_tls("redis://h", servers.Tls()) == {}


def test_kombu_asks_the_sentinels_for_the_primary() -> None:
    """Each Sentinel has its part of the time to answer; the broker is the ledger's service in the next database."""
    app = configured(
        HYSDS_LEDGER_URL="redis+sentinel://u:p%3B%40@a:1,[::1]/s?db=2&sentinel_password=q",
        HYSDS_BROKER_CONNECT_TIMEOUT="4s",
    )
    options = app.conf.broker_transport_options

    assert app.conf.broker_url == "sentinel://u:p%3B%40@a:1/3;sentinel://u:p%3B%40@[::1]:26379/3"
    connection = app.connection_for_write()
    assert (connection.transport_cls, connection.userid, connection.password, connection.virtual_host) == (
        "sentinel",
        "u",
        "p;@",
        "3",
    )
    assert options["master_name"] == "s"
    assert options["sentinel_kwargs"] == {
        "password": "q",
        "socket_timeout": 2.0,
        "socket_connect_timeout": 2.0,
        "retry": None,
    }


def test_sentinels_of_a_service_with_tls_are_verified_too(tmp_path: Path) -> None:
    """Whoever answers in a Sentinel's place could name any server."""
    authority = tmp_path / "ca.pem"
    authority.touch()

    config = celery.celery_config(
        settings(HYSDS_LEDGER_URL="rediss+sentinel://a/s", HYSDS_LEDGER_CA_FILE=str(authority))
    )

    verified = {"ssl_cert_reqs": "required", "ssl_check_hostname": True, "ssl_ca_certs": str(authority)}
    assert config["broker_use_ssl"] == verified
    options: Any = config["broker_transport_options"]
    assert {"ssl": True, **verified}.items() <= options["sentinel_kwargs"].items()


def test_nothing_in_the_configuration_is_shared_between_callers() -> None:
    """kombu writes into some of it."""
    first = celery.celery_config(settings())
    for value in first.values():
        if isinstance(value, dict | list):
            value.clear()

    assert celery.celery_config(settings())["accept_content"] == ["json"]
