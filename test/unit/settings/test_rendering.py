"""The settings at hand as a celeryconfig.py: read again it means the same, to HySDS and to Celery."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import pytest

from hysds.settings import fields, load, rendering
from hysds.settings.celery import celery_config
from hysds.settings.load import Loaded
from services.authority import Certificates

_ROOT = Path(__file__).parents[3]


def _load(directory: Path, **variables: str) -> Loaded:
    environ = {"HYSDS_HOME": str(directory), "HYSDS_CONFIG": "", **variables}
    return load.load(None, environ, directory)


def _read_again(directory: Path, text: str) -> Loaded:
    path = directory / "celeryconfig.py"
    path.write_text(text)
    return load.load(None, {"HYSDS_HOME": str(directory), "HYSDS_CONFIG": str(path)}, directory)


def _as_celery_reads(text: str) -> dict[str, Any]:
    module = types.ModuleType("celeryconfig")
    exec(text, vars(module))
    return {name: value for name, value in vars(module).items() if not name.startswith("_")}


_EVERYTHING = {
    "HYSDS_LEDGER_URL": "redis://someone:s3cret@ledger.example:6379/3",
    "HYSDS_LEDGER_PREFIX": "other",
    "HYSDS_LEDGER_LEASE": "40s",
    "HYSDS_LEDGER_RECORD_RETENTION": "2h",
    "HYSDS_BROKER_URL": "amqp://rabbit:pw@broker.example:5672//",
    "HYSDS_BROKER_HEARTBEAT": "30s",
    "HYSDS_STORE_URL": "sqlite:////data/jobs.db",
    "HYSDS_WORKER_NAME": "w7",
    "HYSDS_WORKER_QUEUES": "gpu,default",
    "HYSDS_WORKER_SLOTS": "3",
    "HYSDS_WORKER_MEMORY": "12GiB",
    "HYSDS_WORKER_WORK_DIR": "/data/work",
    "HYSDS_WORKER_DRAIN_TIMEOUT": "1m30s",
    "HYSDS_JOBS_HARD_TIME_LIMIT_GAP": "250ms",
    "HYSDS_JOBS_DEDUP_WINDOW": "forever",
    "HYSDS_JOBS_DEDUP_STATES": "job-queued,job-started",
}


@pytest.mark.parametrize(
    "given",
    [
        {"HYSDS_LEDGER_URL": "redis://localhost:6379/0"},
        {"HYSDS_LEDGER_URL": "unix:///run/valkey.sock?db=2"},
        {"HYSDS_LEDGER_URL": "redis+sentinel://:pw@s1:26379,s2:26379/mymaster?db=1"},
        {
            "HYSDS_LEDGER_URL": "redis://localhost:6379/0",
            "HYSDS_BROKER_URL": "redis+sentinel://s1,s2/main?sentinel_password=x",
        },
        _EVERYTHING,
    ],
)
def test_a_rendered_file_means_the_same_when_it_is_read_again(tmp_path: Path, given: dict[str, str]) -> None:
    """Every setting, and nothing that HySDS would have to warn of."""
    before = _load(tmp_path, **given)
    text = rendering.rendered(before.settings, before.origins, "celeryconfig", masks=False)
    after = _read_again(tmp_path, text)
    differing = [
        name
        for name, row in fields.table().items()
        if row.value_in(after.settings) != row.value_in(before.settings) and name != "broker.url"
    ]

    assert differing == []
    assert after.settings.broker_url == before.settings.broker_url
    assert celery_config(after.settings) == celery_config(before.settings)
    assert [notice for notice in after.notices if "broker_transport_options" not in notice.source] == []


def test_the_embedded_ledger_stays_the_embedded_one(tmp_path: Path) -> None:
    """So `hysds run` still brings a system of its own; Celery finds the embedded broker by its socket."""
    before = _load(tmp_path)
    text = rendering.rendered(before.settings, before.origins, "celeryconfig", masks=False)
    after = _read_again(tmp_path, text)

    assert after.settings.ledger.url is None
    assert after.settings.broker_url == before.settings.broker_url
    assert _as_celery_reads(text)["broker_url"].startswith("redis+socket:///")


def test_tls_means_the_same_when_it_is_read_again(tmp_path: Path, certificates: Certificates) -> None:
    """Files of authorities, of our own certificate and of its key, for ledger and broker."""
    paths = {
        "CA_FILE": certificates.authority,
        "CERT_FILE": certificates.right.chain,
        "KEY_FILE": certificates.right.key,
    }
    files = {
        f"HYSDS_{section}_{name}": str(path)
        for section in ("LEDGER", "BROKER")
        for name, path in paths.items()
    }
    urls = {"HYSDS_LEDGER_URL": "rediss://ledger.example/0", "HYSDS_BROKER_URL": "amqps://broker.example//"}
    before = _load(tmp_path, **files, **urls)
    text = rendering.rendered(before.settings, before.origins, "celeryconfig", masks=False)
    after = _read_again(tmp_path, text)

    assert after.settings == before.settings
    assert _as_celery_reads(text)["broker_use_ssl"] == celery_config(before.settings)["broker_use_ssl"]


def test_what_nobody_set_is_left_out(tmp_path: Path) -> None:
    """On another host its own name and processors count."""
    loaded = _load(tmp_path, HYSDS_LEDGER_URL="redis://localhost/0", HYSDS_WORKER_DRAIN_TIMEOUT="5s")
    text = rendering.rendered(loaded.settings, loaded.origins, "celeryconfig", masks=False)

    assert _as_celery_reads(text)["HYSDS_SETTINGS"] == {"home": str(tmp_path), "worker.drain_timeout": "5s"}


def test_masked_text_holds_no_password(tmp_path: Path) -> None:
    """Neither of the ledger, nor of the broker, nor of Sentinels."""
    for given in (
        _EVERYTHING,
        {"HYSDS_LEDGER_URL": "redis+sentinel://:s3cret@s1,s2/main?sentinel_password=s3cret"},
    ):
        loaded = _load(tmp_path, **given)
        text = rendering.rendered(loaded.settings, loaded.origins, "celeryconfig", masks=True)

        assert rendering.holds_secrets(loaded.settings, loaded.origins)
        assert "s3cret" not in text
        assert ":pw@" not in text
        assert "***" in text
    plain = _load(tmp_path, HYSDS_LEDGER_URL="redis://localhost/0")
    assert not rendering.holds_secrets(plain.settings, plain.origins)


def test_a_file_that_was_edited_is_no_rendered_one_any_more(tmp_path: Path) -> None:
    """It belongs to whoever edited it."""
    loaded = _load(tmp_path)
    text = rendering.rendered(loaded.settings, loaded.origins, "celeryconfig", masks=False)

    assert rendering.is_rendered(text)
    assert not rendering.is_rendered(text.replace("broker_heartbeat = 60.0", "broker_heartbeat = 61.0"))
    assert not rendering.is_rendered(rendering.template())
    assert not rendering.is_rendered("")


def test_the_template_of_the_package_is_that_of_the_repository() -> None:
    """Whoever has the wheel alone renders the same."""
    assert rendering.template() == (_ROOT / "celeryconfig.py.tmpl").read_text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("HYSDS_SETTINGS = {'worker.slotz': 3}", "did you mean worker.slots"),
        ("HYSDS_SETTINGS = {'worker.slots': 'many'}", "worker.slots"),
        ("HYSDS_SETTINGS = ['worker.slots']", "is a dict of settings"),
        ("HARD_TIME_LIMIT_GAP = 3\nHYSDS_SETTINGS = {'jobs.hard_time_limit_gap': 4}", "given twice"),
        ("broker_url = 'sentinel://s1:26379/0'", "broker_url"),
    ],
)
def test_a_wrong_setting_in_the_file_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    """As any other name of the file."""
    with pytest.raises(Exception, match=r"celeryconfig\.py") as error:
        _read_again(tmp_path, text)

    assert said in str(error.value)
