"""The image of the settings as Celery's configuration, and as parameters of a redis client; plain data.

Celery carries bells. All that it could do beyond that (results, retries, late acknowledgement, priorities in the
broker) is the ledger's, so what would let it interfere is fixed here and not a setting.
"""

from collections.abc import Mapping
from copy import deepcopy
from types import MappingProxyType

from hysds.lib import server_url
from hysds.settings import model, sentinels, servers, urls

SOCKET_TIMEOUT_S = 10
"""How long a command to a Redis broker may take; above a blocking pop (`bootsteps.valves`)."""

REDELIVERED_AFTER_S = 60
"""When a call over a Redis broker that nobody has acknowledged is handed out again. One that is under way for longer
is met again under its id, which is harmless."""

HEALTH_CHECK_S = 25
"""How often kombu asks an idle Redis connection whether it still lives."""

_VERIFY = 2
"""`ssl.CERT_REQUIRED`; the number spares every process the import of ssl."""

FIXED: Mapping[str, object] = MappingProxyType(
    {
        # A bell is acknowledged when it is heard: the ledger, not the broker, knows what is unfinished.
        "task_acks_late": False,
        "task_reject_on_worker_lost": False,
        "task_acks_on_failure_or_timeout": True,
        "worker_prefetch_multiplier": 1,
        "task_ignore_result": True,
        "task_store_errors_even_if_ignored": False,
        "result_backend": None,
        "task_always_eager": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # A worker outlives any outage of the broker; without a bell it still claims at each renewal.
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # Publishing fails at once; lib/transport_retry decides on another try.
        "task_publish_retry": False,
        "task_default_delivery_mode": "transient",
        "task_queue_max_priority": None,
        "task_create_missing_queues": True,
        "task_serializer": "json",
        "result_serializer": "json",
        "event_serializer": "json",
        "accept_content": ["json"],
        "result_accept_content": ["json"],
        "worker_send_task_events": True,
        "task_send_sent_event": False,
        "worker_enable_remote_control": True,
        "worker_disable_rate_limits": True,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "enable_utc": True,
    }
)


def celery_config(settings: model.Settings) -> dict[str, object]:
    """What Celery's `app.conf` is given; no pool, as one in the configuration makes Celery ignore `-P`."""
    url = settings.broker_url
    return deepcopy(dict(FIXED)) | {
        "broker_url": _kombu_url(url),
        "broker_use_ssl": broker_tls(url, settings.broker_tls),
        "broker_connection_timeout": settings.broker.connect_timeout_s,
        "broker_heartbeat": settings.broker.heartbeat_s,
        "broker_transport_options": _transport_options(url, settings),
        "task_default_queue": settings.worker.queues[0],
        "task_queues": _queues(settings.worker.queues),
        "worker_concurrency": settings.worker.slots,
    }


def task_config(settings: model.Settings) -> dict[str, object]:
    """What the app of task workers is given: the same, and a place for the results of calls over the broker."""
    tasks = settings.tasks
    return (
        celery_config(settings)
        | result_config(settings)
        | {
            "task_default_queue": tasks.queues[0],
            "task_queues": _queues(tasks.queues),
            "worker_concurrency": tasks.concurrency,
            # The gate counts what it has taken in, which is no measure of free slots.
            "worker_prefetch_multiplier": 0,
            "broker_transport_options": _transport_options(settings.broker_url, settings)
            | _redelivery(settings.broker_url),
        }
    )


def result_config(settings: model.Settings) -> dict[str, object]:
    """Where results of calls over the broker go, for workers and for whoever calls."""
    url = settings.result_backend
    config: dict[str, object] = {
        "task_ignore_result": False,
        "result_expires": settings.tasks.result_expires_s,
        "result_persistent": False,
    }
    if urls.is_rpc(url):
        return config | {"result_backend": "rpc://"}
    return config | {
        "result_backend": _kombu_url(url),
        "redis_backend_use_ssl": redis_tls(url, settings.broker_tls) or None,
        "redis_socket_timeout": SOCKET_TIMEOUT_S,
        "redis_socket_connect_timeout": settings.broker.connect_timeout_s,
        "result_backend_transport_options": _sentinel_options(url, settings)
        if sentinels.is_sentinel(url)
        else {},
    }


def _queues(names: tuple[str, ...]) -> dict[str, object]:
    # Equal to what Celery would make of a name that it does not know, so that both can declare it.
    return {name: {"exchange": name, "exchange_type": "direct", "routing_key": name} for name in names}


def _redelivery(url: str) -> dict[str, object]:
    """When Redis hands out again what a consumer that died had not acknowledged; RabbitMQ does at once."""
    if url.startswith("amqp"):
        return {}
    return {
        "visibility_timeout": REDELIVERED_AFTER_S,
        "unacked_restore_interval": REDELIVERED_AFTER_S // 6,
        "unacked_restore_throttle": 1,
    }


def redis_tls(url: str, tls: servers.Tls) -> dict[str, object]:
    """Keyword arguments for `redis.Redis.from_url(url, …)`; empty without TLS."""
    if not urls.is_tls(url):
        return {}
    given = {
        "ssl_ca_certs": tls.ca_file,
        "ssl_certfile": tls.cert_file,
        "ssl_keyfile": tls.key_file or tls.cert_file,
        "ssl_ciphers": tls.ciphers,
    }
    verified: dict[str, object] = {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
    return verified | {key: str(value) for key, value in given.items() if value is not None}


def broker_tls(url: str, tls: servers.Tls) -> dict[str, object] | None:
    """What `broker_use_ssl` must be for this URL; None without TLS."""
    if not urls.is_tls(url):
        return None
    if server_url.split(url).scheme != "amqps":
        return redis_tls(url, tls)
    given = {
        "ca_certs": tls.ca_file,
        "certfile": tls.cert_file,
        "keyfile": tls.key_file or tls.cert_file,
        "ciphers": tls.ciphers,
    }
    # py-amqp compares the name in the certificate only with a server_hostname that it was given.
    verified: dict[str, object] = {"cert_reqs": _VERIFY, "server_hostname": server_url.split(url).hostname}
    return verified | {key: str(value) for key, value in given.items() if value is not None}


def _kombu_url(url: str) -> str:
    """kombu's own notation of a unix socket, and of a service behind Sentinels."""
    if sentinels.is_sentinel(url):
        return sentinels.for_kombu(sentinels.read(url))
    if not url.startswith("unix://"):
        return url
    place = url.removeprefix("unix://").partition("?")[0]
    return f"redis+socket://{place}?virtual_host={urls.database(url)}"


def _transport_options(url: str, settings: model.Settings) -> dict[str, object]:
    """Bounds on each wait: a broker that is away costs a publisher one error; kombu's own default is to try for
    ever."""
    bounds: dict[str, object] = {"max_retries": 0}
    if url.startswith("amqp"):
        return bounds
    bounds |= {
        "socket_timeout": SOCKET_TIMEOUT_S,
        "socket_connect_timeout": settings.broker.connect_timeout_s,
        "socket_keepalive": True,
        "health_check_interval": HEALTH_CHECK_S,
    }
    return bounds | _sentinel_options(url, settings) if sentinels.is_sentinel(url) else bounds


def _sentinel_options(url: str, settings: model.Settings) -> dict[str, object]:
    """What kombu can't be told in a URL. One Sentinel that hangs must leave time to ask the others."""
    service = sentinels.read(url)
    timeout_s = settings.broker.connect_timeout_s / len(service.sentinels)
    given = {"username": service.sentinel_user, "password": service.sentinel_password}
    asking: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    asking |= {"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s, "retry": None}
    if service.is_tls:
        asking |= {"ssl": True} | redis_tls(url, settings.broker_tls)
    return {"master_name": service.name, "sentinel_kwargs": asking}
