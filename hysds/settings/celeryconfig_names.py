"""Every name of a HySDS `celeryconfig.py`, and Celery's own, with its place in this system.

HySDS's names are those that its template defines or its code reads; Celery's are the settings of Celery 5.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum


class Fate(Enum):
    """What becomes of a name."""

    MAPPED = "mapped"
    """It sets one of our settings."""
    DECIDED = "decided by HySDS"
    """The system needs one value; another one gets a notice."""
    LATER = "comes later"
    """Nothing honours it yet."""
    ABSENT = "belongs to a service that this system does not have"


@dataclass(frozen=True)
class Place:
    """A name's fate. `target` is the setting that a mapped name sets; `note` is for the operator."""

    fate: Fate
    note: str = ""
    target: str = ""


def _all(names: str, fate: Fate, note: str) -> dict[str, Place]:
    return dict.fromkeys(names.split(), Place(fate, note))


def _celery(prefix: str, names: str, fate: Fate, note: str) -> dict[str, Place]:
    return dict.fromkeys((f"{prefix}_{name}" for name in names.split()), Place(fate, note))


def _merged(tables: Iterable[Mapping[str, Place]]) -> dict[str, Place]:
    return {name: place for table in tables for name, place in table.items()}


_NO_RESULTS = "results stay in the ledger, Celery has no result backend"
_NO_LIMIT = "a job's hard limit follows its soft one: jobs.default_time_limit, jobs.hard_time_limit_gap"
_LEASES = "leases take the place of job locks: ledger.lease, ledger.renew_interval"
_NO_ACK = "a message is only a bell and acknowledged when heard; the ledger gives lost jobs back"
_LOGSTASH = "the indexer writes documents itself, there is no logstash list"
_ELASTICSEARCH = (
    "store.url names Elasticsearch; beside the original HySDS's indices take a store.index_prefix"
)
_ELASTIC_SERVERS = (
    "servers are Elasticsearch 8 and 9, all hosts stand in store.url; requests are not signed for AWS"
)
_RULES = "orchestrators carry out rules, which are published in the ledger: hysds rules"
_DATASETS = "comes with datasets"
_CONTAINERS = "comes with containers"
_RESULTS = (
    "calls over the broker alone have results, in tasks.result_backend; those of jobs stay in the ledger"
)
_JSON = "only JSON travels"

_MAPPED = {
    "broker_url": Place(Fate.MAPPED, target="broker.url"),
    "broker_connection_timeout": Place(Fate.MAPPED, target="broker.connect_timeout"),
    "broker_heartbeat": Place(Fate.MAPPED, target="broker.heartbeat"),
    "broker_use_ssl": Place(Fate.MAPPED, target="broker.ca_file"),
    "redis_backend_use_ssl": Place(Fate.MAPPED, target="ledger.ca_file"),
    "REDIS_JOB_STATUS_URL": Place(Fate.MAPPED, target="ledger.url"),
    "HYSDS_JOB_STATUS_EXPIRES": Place(Fate.MAPPED, target="ledger.record_retention"),
    "HARD_TIME_LIMIT_GAP": Place(Fate.MAPPED, target="jobs.hard_time_limit_gap"),
    "ROOT_WORK_DIR": Place(Fate.MAPPED, target="worker.work_dir"),
    "worker_concurrency": Place(Fate.MAPPED, target="worker.slots"),
    "JOBS_PROCESSED_QUEUE": Place(Fate.MAPPED, target="tasks.submit_queue"),
    "task_default_queue": Place(Fate.MAPPED, target="worker.queues"),
    "WORKER_CONTIGUOUS_FAILURE_THRESHOLD": Place(Fate.MAPPED, target="watchdogs.failures"),
    "task_soft_time_limit": Place(Fate.MAPPED, target="jobs.default_time_limit"),
}

_HYSDS = (
    _all("HYSDS_HANDLE_SIGNALS", Fate.DECIDED, "SIGTERM drains a worker: worker.drain_timeout"),
    _all("BACKOFF_MAX_VALUE BACKOFF_MAX_TRIES", Fate.DECIDED, "transport retries have bounds of their own"),
    _all(
        "ENABLE_JOB_LOCKING JOB_LOCK_EXPIRE_TIME JOB_LOCK_HEARTBEAT_INTERVAL JOB_LOCK_MAX_EXTENSIONS"
        " JOB_LOCK_HEARTBEAT_MAX_FAILURES JOB_LOCK_STALE_CHECK_RETRIES JOB_LOCK_STALE_CHECK_TIMEOUT"
        " JOB_LOCK_NEW_GRACE_PERIOD JOB_LOCK_REDELIVERY_BUFFER_TIME JOB_LOCK_REDELIVERY_WAIT_MAX",
        Fate.DECIDED,
        _LEASES,
    ),
    _all("PYMONITOREDRUNNER_CFG", Fate.DECIDED, "output goes straight to _stdout.txt and _stderr.txt"),
    _all(
        "REDIS_UNIX_DOMAIN_SOCKET", Fate.DECIDED, "REDIS_JOB_STATUS_URL is the ledger's address for everyone"
    ),
    _all(
        "REDIS_JOB_STATUS_KEY REDIS_JOB_INFO_URL REDIS_JOB_INFO_KEY REDIS_INSTANCE_METRICS_URL"
        " REDIS_INSTANCE_METRICS_KEY",
        Fate.ABSENT,
        _LOGSTASH,
    ),
    _all("MOZART_URL MOZART_REST_URL", Fate.ABSENT, "there is no Mozart; clients use the ledger's URL"),
    _all(
        "TOSCA_URL GRQ_URL GRQ_REST_URL GRQ_UPDATE_URL GRQ_UPDATE_URL_BULK",
        Fate.ABSENT,
        "there is no GRQ server",
    ),
    _all("WEBDAV_URL WEBDAV_PORT", Fate.ABSENT, "there is no WebDAV server on workers"),
    _all("ADMINS SERVER_EMAIL CELERY_SEND_TASK_ERROR_EMAILS", Fate.ABSENT, "Celery sends no mail since 4.0"),
    _all("HYSDS_IOS_MOZART HYSDS_IOS_GRQ", Fate.ABSENT, "job types are published in the ledger, in no index"),
    _all("JOBS_ES_URL STATUS_ALIAS", Fate.DECIDED, _ELASTICSEARCH),
    _all("JOBS_ES_ENGINE JOBS_AWS_ES ES_CLUSTER_MODE AWS_REGION", Fate.DECIDED, _ELASTIC_SERVERS),
    _all("GRQ_ES_ENGINE GRQ_AWS_ES GRQ_ES_URL", Fate.ABSENT, "there is no GRQ server"),
    _all(
        "METRICS_ES_ENGINE METRICS_AWS_ES METRICS_ES_URL",
        Fate.ABSENT,
        "metrics are Prometheus's, and job documents say what a job took",
    ),
    _all("PROCESS_EVENTS_TASKS_QUEUE", Fate.DECIDED, "the indexer hears Celery's events itself"),
    _all("ON_DEMAND_JOB_QUEUE ON_DEMAND_DATASET_QUEUE", Fate.LATER, "comes with submission over a query"),
    _all("USER_RULES_JOB_QUEUE USER_RULES_JOB_INDEX USER_RULES_TRIGGER_QUEUE", Fate.DECIDED, _RULES),
    _all("USER_RULES_DATASET_QUEUE USER_RULES_DATASET_INDEX", Fate.LATER, _DATASETS),
    _all(
        "DATASET_PROCESSED_QUEUE DATASET_ALIAS PUBLISH_WAIT_BACKOFF_MAX_TIME PUBLISH_WAIT_STATUS_EXPIRES"
        " BUCKET_PROFILES TRIAGE_PARTITION_FORMAT",
        Fate.LATER,
        _DATASETS,
    ),
    _all(
        "CONTAINER_ENGINE CONTAINER_REGISTRY CONTAINER_ARCHITECTURE_MAPPINGS PODMAN_CFG WORKER_MOUNT_BLACKLIST"
        " VERDI_HOME VERDI_SHELL K8S",
        Fate.LATER,
        _CONTAINERS,
    ),
    _all("CACHE_READ_ONLY EVICT_CACHE", Fate.LATER, "comes with the download cache"),
    _all(
        "WORKER_CONTIGUOUS_FAILURE_TIME",
        Fate.DECIDED,
        "failures in a row count however slowly they come: watchdogs.failures",
    ),
)

_CELERY = (
    _all(
        "task_acks_late task_reject_on_worker_lost task_acks_on_failure_or_timeout task_acks_on_failure"
        " task_acks_on_timeout task_retry_on_worker_lost",
        Fate.DECIDED,
        _NO_ACK,
    ),
    _all(
        "worker_prefetch_multiplier worker_disable_prefetch worker_eta_task_limit"
        " worker_enable_prefetch_count_reduction worker_detect_quorum_queues",
        Fate.DECIDED,
        "the gate takes a bell only while a slot is free",
    ),
    _all(
        "task_queue_max_priority task_default_priority task_inherit_parent_priority",
        Fate.DECIDED,
        "priority is the ledger's ready list, not the broker's",
    ),
    _all(
        "task_serializer result_serializer event_serializer accept_content result_accept_content task_compression"
        " result_compression security_key security_key_password security_certificate security_cert_store"
        " security_digest task_protocol",
        Fate.DECIDED,
        _JSON,
    ),
    _all(
        "task_ignore_result task_store_eager_result task_store_errors_even_if_ignored task_track_started"
        " task_remote_tracebacks task_allow_error_cb_on_chord_header",
        Fate.DECIDED,
        _NO_RESULTS,
    ),
    _all("result_backend", Fate.DECIDED, _RESULTS),
    _celery(
        "result",
        "cache_max exchange exchange_type expires chord_expires failure_expires persistent extended"
        " backend_transport_options chord_retry_interval chord_join_timeout backend_max_sleep_between_retries_ms"
        " backend_max_retries backend_base_sleep_between_retries_ms backend_always_retry",
        Fate.DECIDED,
        _RESULTS,
    ),
    _celery(
        "redis",
        "db host max_connections username password port socket_timeout socket_connect_timeout retry_on_timeout"
        " socket_keepalive backend_health_check_interval backend_credential_provider",
        Fate.DECIDED,
        _RESULTS,
    ),
    _celery("cache", "backend backend_options", Fate.ABSENT, _NO_RESULTS),
    _celery(
        "cassandra",
        "entry_ttl keyspace port read_consistency servers bundle_path table write_consistency auth_provider"
        " auth_kwargs options",
        Fate.ABSENT,
        _NO_RESULTS,
    ),
    _celery(
        "s3", "access_key_id secret_access_key bucket base_path endpoint_url region", Fate.ABSENT, _NO_RESULTS
    ),
    _celery(
        "azureblockblob",
        "container_name retry_initial_backoff_sec retry_increment_base retry_max_attempts base_path"
        " connection_timeout read_timeout",
        Fate.ABSENT,
        _NO_RESULTS,
    ),
    _celery("gcs", "bucket project base_path ttl", Fate.ABSENT, _NO_RESULTS),
    _all(
        "couchbase_backend_settings arangodb_backend_settings mongodb_backend_settings",
        Fate.ABSENT,
        _NO_RESULTS,
    ),
    _celery(
        "cosmosdbsql",
        "database_name collection_name consistency_level max_retry_attempts max_retry_wait_time",
        Fate.ABSENT,
        _NO_RESULTS,
    ),
    _celery(
        "elasticsearch", "retry_on_timeout max_retries timeout save_meta_as_text", Fate.ABSENT, _NO_RESULTS
    ),
    _celery(
        "database",
        "url engine_options engine_callback short_lived_sessions table_schemas table_names create_tables_at_setup",
        Fate.ABSENT,
        _NO_RESULTS,
    ),
    _celery(
        "beat",
        "enable_remote_control remote_control_max_tick_age max_loop_interval schedule scheduler schedule_filename"
        " sync_every cron_starting_deadline",
        Fate.LATER,
        "comes with schedules",
    ),
    _all("imports include", Fate.DECIDED, "workers import the modules of HySDS alone"),
    _all("enable_utc timezone", Fate.DECIDED, "all times are UTC"),
    _celery(
        "broker",
        "transport_options pool_limit pool_acquire_timeout heartbeat_checkrate connection_retry"
        " connection_retry_on_startup connection_max_retries channel_error_retry failover_strategy login_method"
        " native_delayed_delivery_queue_type",
        Fate.DECIDED,
        "a bell may be lost: HySDS bounds each wait and connects again for ever",
    ),
    _celery(
        "broker",
        "read_url write_url transport host port user password vhost",
        Fate.DECIDED,
        "give broker_url, which names all of it",
    ),
    _celery(
        "control",
        "queue_ttl queue_expires queue_exclusive queue_durable exchange",
        Fate.DECIDED,
        "remote control keeps Celery's own queues",
    ),
    _celery(
        "event",
        "queue_expires queue_ttl queue_prefix queue_exclusive queue_durable exchange",
        Fate.DECIDED,
        "events keep Celery's own queues",
    ),
    _all(
        "worker_send_task_events task_send_sent_event",
        Fate.DECIDED,
        "workers send events; a bell that was sent is none",
    ),
    _all("task_time_limit", Fate.DECIDED, _NO_LIMIT),
    _celery(
        "task",
        "always_eager annotations create_missing_queues create_missing_queue_type"
        " create_missing_queue_exchange_type default_delivery_mode default_queue_type default_exchange"
        " default_exchange_type default_routing_key default_rate_limit eager_propagates publish_retry"
        " publish_retry_policy queues repr_maxlevels routes",
        Fate.DECIDED,
        "Celery carries bells alone, by the queue that a job names",
    ),
    _celery(
        "worker",
        "agent autoscaler cancel_long_running_tasks_on_connection_loss soft_shutdown_timeout"
        " enable_soft_shutdown_on_idle consumer direct disable_rate_limits deduplicate_successful_tasks"
        " enable_remote_control lost_wait max_memory_per_child max_tasks_per_child pool pool_putlocks pool_restarts"
        " pool_start_method proc_alive_timeout state_db timer timer_precision",
        Fate.DECIDED,
        "HySDS runs jobs outside Celery's pool: worker.slots, worker.drain_timeout, worker.stop_grace",
    ),
    _celery(
        "worker",
        "hijack_root_logger log_color log_datefmt log_format redirect_stdouts redirect_stdouts_level"
        " task_log_datefmt task_log_format",
        Fate.DECIDED,
        "HySDS writes its own log lines",
    ),
)

TABLE: Mapping[str, Place] = _merged((*_HYSDS, *_CELERY, _MAPPED))
