"""What `config show` prints: every setting, its value without secrets, its origin, its meaning."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hysds.settings import fields, load, show


def rows(home: Path, **variables: str) -> dict[str, show.Row]:
    """The rows by name."""
    loaded = load.load(None, {"HYSDS_HOME": str(home), "HYSDS_CONFIG": ""} | variables)
    return {row.name: row for row in show.rows(loaded.settings, loaded.origins)}


def test_every_setting_is_listed_with_its_meaning(tmp_path: Path) -> None:
    """The docstring under each field of the dataclasses; a field without one fails here."""
    listed = rows(tmp_path)

    assert list(listed) == list(fields.table())
    assert [name for name, row in listed.items() if len(row.meaning) < 20] == []
    assert listed["ledger.lease"].meaning.startswith("How long a worker owns a job")
    assert listed["ledger.lease"].variable == "HYSDS_LEDGER_LEASE"


def test_values_are_shown_with_units_and_their_origin(tmp_path: Path) -> None:
    """As they may be typed again; exact, so that what can't be shown short is shown long."""
    listed = rows(
        tmp_path, HYSDS_LEDGER_LEASE="100s", HYSDS_LOGS_MEMORY="256 MiB", HYSDS_JOBS_DEDUP_WINDOW="forever"
    )

    assert (listed["ledger.lease"].value, listed["ledger.lease"].origin) == (
        "1m40s",
        "environment HYSDS_LEDGER_LEASE",
    )
    assert listed["logs.memory"].value == "268435456 B"
    assert listed["logs.per_job"].value == "16 MB"
    assert listed["jobs.dedup_window"].value == "forever"
    assert listed["ledger.url"].value == "none"
    assert listed["worker.queues"].value == "default"
    assert listed["indexer.batch"].value == "2000"


def test_what_takes_the_place_of_an_unset_value_is_told(tmp_path: Path) -> None:
    """Where ledger, store and work directories are when no setting says so; nothing where one does."""
    listed = rows(tmp_path)
    named = rows(tmp_path, HYSDS_LEDGER_URL="redis://u:s3cret@h:1/0")

    assert (listed["ledger.url"].is_set, named["ledger.url"].is_set) == (False, True)
    assert listed["ledger.url"].effective == f"unix://{tmp_path}/run/valkey.sock"
    assert listed["store.url"].effective.startswith(str(tmp_path))
    assert named["ledger.url"].effective == ""
    assert "s3cret" not in named["broker.url"].effective
    assert listed["jobs.dedup_window"].is_set


@pytest.mark.parametrize("variable", ["HYSDS_LEDGER_URL", "HYSDS_BROKER_URL"])
def test_passwords_are_masked(tmp_path: Path, variable: str) -> None:
    """In URLs too; the user and the place stay readable."""
    listed = rows(tmp_path, **{variable: "redis://user:s%40cret@h:6379/0"})

    assert "redis://user:***@h:6379/0" in {row.value for row in listed.values()}
    assert "cret" not in str(listed)


def test_a_printed_settings_object_shows_no_password(tmp_path: Path) -> None:
    """It ends up in tracebacks and debug lines."""
    url = "redis://:secret@h"
    loaded = load.load({"ledger.url": url, "broker.url": url}, {"HYSDS_CONFIG": ""}, tmp_path)

    assert loaded.settings.broker.url == url
    assert "secret" not in repr(loaded)


def test_settings_load_without_any_client_library() -> None:
    """The command line reads settings at each start: celery, redis and pydantic would cost it a quarter second."""
    program = (
        "import sys\n"
        "from hysds.settings import celery, load, show\n"
        "loaded = load.load(None, {'HYSDS_CONFIG': ''})\n"
        "show.rows(loaded.settings, loaded.origins); celery.celery_config(loaded.settings)\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & "
        "{'celery', 'kombu', 'redis', 'pydantic', 'rich', 'click'}))"
    )

    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"
