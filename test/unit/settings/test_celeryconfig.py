"""A celeryconfig.py of the original HySDS loads as it is; what is unsafe in it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from celery.app.defaults import DEFAULTS

from hysds.core.errors import InvalidSettings
from hysds.settings import celery, fields, load
from hysds.settings.celeryconfig_names import TABLE, Fate

_ORIGINAL = """
import ssl
from os.path import join

_ca = {ca!r}

broker_use_ssl = {{"ca_certs": _ca, "cert_reqs": ssl.CERT_REQUIRED, "ciphers": "HIGH"}}
broker_url = "amqps://hysds:rabbit-secret@mozart.example:5671/"
result_backend = "rediss://:redis-secret@mozart.example/?ssl_cert_reqs=required"

task_serializer = "msgpack"
result_serializer = "msgpack"
accept_content = ["msgpack", "json"]
task_acks_late = True
result_expires = 86400
worker_prefetch_multiplier = 1
event_serializer = "msgpack"
worker_send_task_events = True
task_send_sent_event = True
task_track_started = True
task_queue_max_priority = 10
task_reject_on_worker_lost = True
broker_heartbeat = 60
broker_heartbeat_checkrate = 2
broker_pool_limit = None
broker_transport_options = {{"confirm_publish": True, "read_timeout": 60, "write_timeout": 60}}
broker_connection_timeout = 30
redis_socket_keepalive = True
redis_backend_health_check_interval = 30
imports = ["hysds.task_worker", "hysds.job_worker", "hysds.orchestrator"]

CELERY_SEND_TASK_ERROR_EMAILS = False
ADMINS = (("An Operator", "ops@example.org"),)
SERVER_EMAIL = "ops@mozart.example"

HYSDS_HANDLE_SIGNALS = False
HYSDS_JOB_STATUS_EXPIRES = 86400
BACKOFF_MAX_VALUE = 64
BACKOFF_MAX_TRIES = 10
ENABLE_JOB_LOCKING = True
JOB_LOCK_EXPIRE_TIME = 600
JOB_LOCK_HEARTBEAT_INTERVAL = 30
JOB_LOCK_MAX_EXTENSIONS = 4320
JOB_LOCK_HEARTBEAT_MAX_FAILURES = 3
JOB_LOCK_STALE_CHECK_RETRIES = 3
JOB_LOCK_STALE_CHECK_TIMEOUT = 60
JOB_LOCK_NEW_GRACE_PERIOD = 120
JOB_LOCK_REDELIVERY_BUFFER_TIME = 10
JOB_LOCK_REDELIVERY_WAIT_MAX = 100
PUBLISH_WAIT_BACKOFF_MAX_TIME = 300
PUBLISH_WAIT_STATUS_EXPIRES = 300
HARD_TIME_LIMIT_GAP = 240

PYMONITOREDRUNNER_CFG = {{
    "rabbitmq": {{"hostname": "mozart.example", "port": 5671, "queue": "stdouterr"}},
    "StreamObserverFileWriter": {{"stdout_filepath": "_stdout.txt", "stderr_filepath": "_stderr.txt"}},
    "StreamObserverMessenger": {{"send_interval": 1}},
}}

MOZART_URL = "https://mozart.example/mozart/"
MOZART_REST_URL = "https://mozart.example:8888/api/v0.1"
JOBS_ES_ENGINE = "elasticsearch"
JOBS_AWS_ES = False
JOBS_ES_URL = ["https://es1.example:9200", "https://es2.example:9200"]
JOBS_PROCESSED_QUEUE = "jobs_processed"
USER_RULES_JOB_QUEUE = "user_rules_job"
ON_DEMAND_JOB_QUEUE = "on_demand_job"
USER_RULES_JOB_INDEX = "user_rules-mozart"
STATUS_ALIAS = "job_status"

TOSCA_URL = "https://grq.example/search/"
GRQ_URL = "https://grq.example:8878"
GRQ_REST_URL = "https://grq.example:8878/api/v0.1"
GRQ_UPDATE_URL = "https://grq.example:8878/api/v0.1/grq/dataset/index"
GRQ_UPDATE_URL_BULK = "https://grq.example:8878/api/v0.2/grq/dataset/index"
GRQ_ES_ENGINE = "elasticsearch"
GRQ_AWS_ES = False
GRQ_ES_URL = "https://grq.example:9200"
DATASET_PROCESSED_QUEUE = "dataset_processed"
USER_RULES_DATASET_QUEUE = "user_rules_dataset"
ON_DEMAND_DATASET_QUEUE = "on_demand_dataset"
USER_RULES_DATASET_INDEX = "user_rules-grq"
DATASET_ALIAS = "grq"
HYSDS_IOS_MOZART = "hysds_ios-mozart"
HYSDS_IOS_GRQ = "hysds_ios-grq"
USER_RULES_TRIGGER_QUEUE = "user_rules_trigger"
PROCESS_EVENTS_TASKS_QUEUE = "process_events_tasks"
METRICS_ES_ENGINE = "elasticsearch"
METRICS_AWS_ES = False
METRICS_ES_URL = "https://metrics.example:9200"

REDIS_JOB_STATUS_URL = f"rediss://:redis-secret@mozart.example/?ssl_cert_reqs=required&ssl_ca_certs={{_ca}}"
REDIS_JOB_STATUS_KEY = "logstash"
REDIS_JOB_INFO_URL = "rediss://:metrics-secret@metrics.example/"
REDIS_JOB_INFO_KEY = "logstash"
REDIS_INSTANCE_METRICS_URL = "rediss://:metrics-secret@metrics.example/"
REDIS_INSTANCE_METRICS_KEY = "logstash"
REDIS_UNIX_DOMAIN_SOCKET = "unix://:redis-secret@/tmp/redis.sock"

WORKER_CONTIGUOUS_FAILURE_THRESHOLD = 10
WORKER_CONTIGUOUS_FAILURE_TIME = 5.
ROOT_WORK_DIR = "/data/work"
WEBDAV_URL = None
WEBDAV_PORT = 8085
WORKER_MOUNT_BLACKLIST = ["/dev", "/etc", "/lib", "/proc", "/usr", "/var"]
CONTAINER_ENGINE = "docker"
PODMAN_CFG = {{"set_uid_gid": False, "cmd_base": {{"security-opt": "label=disable"}}, "environment": ["HOST_UID"]}}
CONTAINER_REGISTRY = "registry.example:5050"
CONTAINER_ARCHITECTURE_MAPPINGS = {{"x86_64": "amd64"}}
AWS_REGION = "us-west-2"
ES_CLUSTER_MODE = False
TRIAGE_PARTITION_FORMAT = None
VERDI_HOME = join("/root")
VERDI_SHELL = "/bin/bash"
CACHE_READ_ONLY = True
EVICT_CACHE = True
K8S = False
BUCKET_PROFILES = [{{"profile": "default", "bucket_patterns": ["*"]}}]
"""


def loaded(directory: Path, text: str) -> load.Loaded:
    """Settings of a directory whose only source is a celeryconfig.py of its user."""
    file = directory / "celeryconfig.py"
    file.write_text(text)
    file.chmod(0o600)
    return load.load(None, {"HYSDS_HOME": str(directory)}, directory)


def original(directory: Path) -> load.Loaded:
    """Every name of the original's template, and those that its code reads besides."""
    authority = directory / "ca.pem"
    authority.touch()
    return loaded(directory, _ORIGINAL.format(ca=str(authority)))


def test_what_has_a_counterpart_is_taken_from_the_original(tmp_path: Path) -> None:
    """Where the servers are, how certificates are verified, where jobs lie, how long things are kept."""
    result = original(tmp_path)
    settings = result.settings

    assert settings.broker.url == "amqps://hysds:rabbit-secret@mozart.example:5671/"
    assert settings.broker.ca_file == tmp_path / "ca.pem"
    assert settings.broker.ciphers == "HIGH"
    assert settings.broker.connect_timeout_s == 30.0
    assert settings.broker.heartbeat_s == 60.0
    assert settings.ledger.url == "rediss://:redis-secret@mozart.example/"
    assert settings.ledger.ca_file == tmp_path / "ca.pem"
    assert settings.ledger.record_retention_s == 86_400.0
    assert settings.jobs.hard_time_limit_gap_s == 240.0
    assert settings.work_dir == Path("/data/work")
    assert settings.watchdogs.failures == 10
    assert result.origins["ledger.url"] == f"{tmp_path}/celeryconfig.py: REDIS_JOB_STATUS_URL"
    assert result.origins["broker.ciphers"] == f"{tmp_path}/celeryconfig.py: broker_use_ssl"


def test_each_name_without_effect_gets_one_notice(tmp_path: Path) -> None:
    """None but those that are honoured, unset, or ask for what happens anyway."""
    result = original(tmp_path)

    noticed = [notice.source.rpartition(" ")[2] for notice in result.notices]
    silent = {
        "broker_use_ssl", "broker_url", "broker_connection_timeout", "broker_heartbeat", "REDIS_JOB_STATUS_URL",
        "HYSDS_JOB_STATUS_EXPIRES", "HARD_TIME_LIMIT_GAP", "ROOT_WORK_DIR", "JOBS_PROCESSED_QUEUE",
        "WORKER_CONTIGUOUS_FAILURE_THRESHOLD",  # honoured
        "worker_prefetch_multiplier", "worker_send_task_events",  # so anyway
        "broker_pool_limit", "WEBDAV_URL", "TRIAGE_PARTITION_FORMAT",  # unset
    }  # fmt: skip
    named = {
        line.partition(" = ")[0] for line in _ORIGINAL.splitlines() if line[:1].isalpha() and " = " in line
    }
    assert len(noticed) == len(set(noticed))
    assert set(noticed) == named - silent


def test_a_notice_says_why_a_name_has_no_effect(tmp_path: Path) -> None:
    """Late acknowledgement is not supported by accident: it would double what the ledger does."""
    notices = {notice.source.rpartition(" ")[2]: notice.message for notice in original(tmp_path).notices}

    assert notices["task_acks_late"].startswith("HySDS takes False: a message is only a bell")
    assert "containers" in notices["CONTAINER_ENGINE"]
    assert "GRQ" in notices["GRQ_UPDATE_URL"]
    assert "Elasticsearch" in notices["JOBS_ES_URL"]
    assert "ledger.lease" in notices["JOB_LOCK_EXPIRE_TIME"]


def test_no_notice_shows_a_password(tmp_path: Path) -> None:
    """Notices are printed and logged."""
    assert "secret" not in " ".join(map(str, original(tmp_path).notices))


def test_all_of_celerys_own_settings_have_a_place() -> None:
    """Of the Celery that is installed: none is taken silently, none is unknown."""
    assert set(DEFAULTS) - set(TABLE) == set()


def test_mapped_names_lead_to_settings_that_exist() -> None:
    """And what HySDS decides itself by a fixed value is said to be decided."""
    known = fields.table()

    assert [
        place.target for place in TABLE.values() if place.fate is Fate.MAPPED and place.target not in known
    ] == []
    assert [name for name in celery.FIXED if TABLE[name].fate not in (Fate.DECIDED, Fate.LATER)] == []
    assert [name for name, place in TABLE.items() if place.fate is not Fate.MAPPED and not place.note] == []


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("task_serializer = 'pickle'", "task_serializer"),
        ("event_serializer = 'yaml'", "event_serializer"),
        ("accept_content = ['json', 'application/x-python-serialize']", "accept_content"),
        ("result_accept_content = {'pickle'}", "result_accept_content"),
        ("import ssl\nbroker_use_ssl = {'cert_reqs': ssl.CERT_NONE}", "broker_use_ssl"),
        ("import ssl\nbroker_use_ssl = {'ssl_cert_reqs': ssl.CERT_OPTIONAL}", "broker_use_ssl"),
        ("broker_use_ssl = {'cert_reqs': 'none'}", "broker_use_ssl"),
        ("broker_use_ssl = {'check_hostname': False}", "broker_use_ssl"),
        ("redis_backend_use_ssl = {'ssl_cert_reqs': None}", "redis_backend_use_ssl"),
        ("broker_url = 'rediss://h/?ssl_cert_reqs=none'", "broker_url"),
        ("REDIS_JOB_STATUS_URL = 'rediss://:pw@h/?ssl_cert_reqs=CERT_NONE'", "REDIS_JOB_STATUS_URL"),
        ("result_backend = 'rediss://h/?ssl_cert_reqs=optional'", "result_backend"),
        ("REDIS_JOB_INFO_URL = 'rediss://h/?ssl_check_hostname=false'", "REDIS_JOB_INFO_URL"),
    ],
)
def test_what_is_unsafe_is_refused(tmp_path: Path, line: str, name: str) -> None:
    """Messages that run code, and servers with any certificate; used or not, so that it can't come to life later."""
    with pytest.raises(InvalidSettings, match=rf"celeryconfig\.py: {name}: unsafe: "):
        loaded(tmp_path, line)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("broker_ulr = 'redis://h'", "broker_ulr: no such setting; did you mean broker_url?"),
        ("HARD_TIME_LIMIT = 3", "no such setting; did you mean HARD_TIME_LIMIT_GAP?"),
        ("host = 'h'", "a variable of your own begins with _"),
        ("HARD_TIME_LIMIT_GAP = '5 minutes'", "HARD_TIME_LIMIT_GAP: '5 minutes' is not a duration"),
        ("worker_concurrency = 0", "worker_concurrency: 0 is too little"),
        ("broker_url = 'sqs://h'", "broker_url: the URL begins with none of amqp://"),
        ("broker_url = 'amqp://a;amqp://b'", "broker_url: one URL is needed"),
        ("broker_url = 7", "broker_url: one URL is needed"),
        (
            "broker_url = 'amqp://{{ MOZART_RABBIT_USER }}@h'",
            "broker_url: a {{ placeholder }} was not filled in",
        ),
        ("JOBS_AWS_ES = {{ MOZART_AWS_ES or False }}\n{%- if x %}", "line 2: not Python"),
        ("_x = 1\n\nraise SystemExit('secret')", "line 3: stopped with SystemExit"),
        ("_x = 1\n_y = int('secret')", "line 2: stopped with ValueError"),
        ("_x = (", "line 1: not Python"),
    ],
)
def test_other_names_and_bad_values_stop_the_start(tmp_path: Path, line: str, message: str) -> None:
    """The file and the name, or its line, are told; what stood there only where it is no secret."""
    with pytest.raises(InvalidSettings) as caught:
        loaded(tmp_path, line)

    assert str(tmp_path / "celeryconfig.py") in str(caught.value)
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


def test_celerys_notations_are_understood(tmp_path: Path) -> None:
    """kombu's unix sockets, a list of one broker, a default queue, automatic concurrency."""
    settings = loaded(
        tmp_path,
        "broker_url = ['redis+socket:///run/r.sock?virtual_host=3']\n"
        "task_default_queue = 'gpu'\nworker_concurrency = 'auto'\ntask_soft_time_limit = 3600\n",
    ).settings

    assert settings.broker.url == "unix:///run/r.sock?db=3"
    assert settings.worker.queues == ("gpu",)
    assert settings.jobs.default_time_limit_s == 3600.0


@pytest.mark.parametrize(
    ("url", "meant"), [("amqp://h:5671//", "amqps://h:5671//"), ("redis://h/1", "rediss://h/1")]
)
@pytest.mark.parametrize("option", ["True", "{'cert_reqs': 2}"])
def test_broker_use_ssl_asks_for_tls_whatever_the_url_says(
    tmp_path: Path, url: str, meant: str, option: str
) -> None:
    """As in Celery: a site that encrypts its messages must not fall back to plain text here."""
    assert loaded(tmp_path, f"broker_url = {url!r}\nbroker_use_ssl = {option}\n").settings.broker.url == meant


def test_certificates_for_a_url_without_tls_get_a_notice(tmp_path: Path) -> None:
    """One file often serves machines with and without TLS."""
    result = loaded(
        tmp_path,
        "REDIS_JOB_STATUS_URL = 'redis://h'\nredis_backend_use_ssl = {'ssl_ca_certs': '/etc/ca.pem'}\n",
    )

    assert result.settings.ledger.ca_file is None
    assert "no use for ledger.ca_file" in str(result.notices[0])


def test_certificates_in_the_file_serve_a_url_from_the_environment(tmp_path: Path) -> None:
    """What counts is the URL that is in force, not the one that the file names."""
    authority = tmp_path / "ca.pem"
    authority.touch()
    (tmp_path / "celeryconfig.py").write_text(
        f"REDIS_JOB_STATUS_URL = 'redis://h'\nredis_backend_use_ssl = {{'ca_certs': {str(authority)!r}}}\n"
    )

    result = load.load(None, {"HYSDS_HOME": str(tmp_path), "HYSDS_LEDGER_URL": "rediss://h"}, tmp_path)

    assert result.settings.ledger.ca_file == authority
    assert result.notices == ()


def test_tls_of_the_redis_result_backend_is_that_of_the_ledger(tmp_path: Path) -> None:
    """The original keeps both on one server; options that have no meaning here get a notice."""
    authority = tmp_path / "ca.pem"
    authority.touch()

    result = loaded(
        tmp_path,
        "import ssl\nREDIS_JOB_STATUS_URL = 'rediss://h'\n"
        f"redis_backend_use_ssl = {{'ssl_cert_reqs': ssl.CERT_REQUIRED, 'ssl_ca_certs': {str(authority)!r},"
        " 'ssl_min_version': ssl.TLSVersion.TLSv1_3}\n",
    )

    assert result.settings.ledger.ca_file == authority
    assert [str(notice).partition(": ")[2] for notice in result.notices] == [
        "redis_backend_use_ssl: min_version is not honoured: TLS 1.2 or later, verified by the name in the URL"
    ]


def test_the_file_keeps_its_names_to_itself(tmp_path: Path) -> None:
    """Its modules, functions and helpers are no settings, and it runs under its own name."""
    result = loaded(
        tmp_path,
        "import os\nfrom pathlib import Path\ndef queue(): return 'gpu'\n_n = 2\n"
        "assert __name__ == 'celeryconfig' and Path(__file__).name == 'celeryconfig.py'\n"
        "task_default_queue = queue()\nworker_concurrency = _n\n",
    )

    assert (result.settings.worker.queues, result.settings.worker.slots) == (("gpu",), 2)
    assert result.notices == ()


def test_the_template_works_as_it_stands(tmp_path: Path) -> None:
    """`cp celeryconfig.py.tmpl celeryconfig.py` is all that local services need."""
    template = Path(__file__).parents[3] / "celeryconfig.py.tmpl"

    result = loaded(tmp_path, template.read_text())

    assert result.settings.ledger.url == "redis://localhost:6379/0"
    assert result.settings.broker_url == "redis://localhost:6379/1"
    assert result.notices == ()


def test_the_template_changes_no_default(tmp_path: Path) -> None:
    """It only says where the servers are; all else stands there to be found."""
    template = (Path(__file__).parents[3] / "celeryconfig.py.tmpl").read_text()
    settings = loaded(tmp_path, template).settings
    plain = load.load(None, {"HYSDS_HOME": str(tmp_path), "HYSDS_CONFIG": ""}, tmp_path).settings

    changed = [name for name, row in fields.table().items() if row.value_in(settings) != row.value_in(plain)]

    assert changed == ["ledger.url", "broker.url"]
