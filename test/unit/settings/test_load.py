"""Where a setting may come from, which source wins, and what stops the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hysds.core.errors import InvalidSettings
from hysds.settings import fields, load, model


def loaded(home: Path, arguments: dict[str, Any] | None = None, **variables: str) -> load.Loaded:
    """Settings of an environment that holds only these variables, in an empty directory."""
    return load.load(arguments, {"HYSDS_HOME": str(home)} | variables, home)


def test_without_any_source_the_defaults_hold(tmp_path: Path) -> None:
    """One machine: everything lies under the home directory, and every origin says default."""
    result = loaded(tmp_path)

    assert result.settings.ledger.url is None
    assert result.settings.ledger_url == f"unix://{tmp_path}/run/valkey.sock"
    assert result.settings.broker_url == f"unix://{tmp_path}/run/valkey.sock?db=1"
    assert result.settings.store_path == tmp_path / "store" / "jobs.db"
    assert result.settings.work_dir == tmp_path / "work"
    assert result.settings == model.Settings(home=tmp_path)
    assert set(result.origins.values()) == {"default", "environment HYSDS_HOME"}
    assert (result.notices, result.file) == ((), None)


def test_arguments_win_over_environment_over_file_over_defaults(tmp_path: Path) -> None:
    """Each value is taken from the first source that has it, and remembers which."""
    (tmp_path / "hysds.toml").write_text(
        "[worker]\nslots = 2\nstop_grace = '7s'\nqueues = ['gpu']\n[logs]\nper_job = '1 MB'\n"
    )

    result = loaded(tmp_path, {"worker.slots": 4}, HYSDS_WORKER_SLOTS="3", HYSDS_WORKER_QUEUES="cpu, gpu")

    assert result.settings.worker.slots == 4
    assert result.settings.worker.queues == ("cpu", "gpu")
    assert result.settings.worker.stop_grace_s == 7.0
    assert result.settings.logs.per_job_bytes == 1_000_000
    assert result.origins["worker.slots"] == "argument worker.slots"
    assert result.origins["worker.queues"] == "environment HYSDS_WORKER_QUEUES"
    assert result.origins["worker.stop_grace"] == f"{tmp_path}/hysds.toml: worker.stop_grace"
    assert result.origins["logs.memory"] == "default"
    assert result.file == tmp_path / "hysds.toml"


def test_an_argument_of_none_was_not_given(tmp_path: Path) -> None:
    """A command line passes all its options; those that nobody typed change nothing."""
    result = loaded(tmp_path, {"worker.slots": None}, HYSDS_WORKER_SLOTS="3")

    assert result.settings.worker.slots == 3


def test_every_setting_can_be_set_by_its_variable(tmp_path: Path) -> None:
    """Names and variables follow from the dataclasses, so no field can be forgotten."""
    table = fields.table()
    defaults = model.Settings(home=tmp_path)

    for row in table.values():
        text = row.write(row.value_in(defaults))
        assert row.value_in(loaded(tmp_path, **{row.variable: text}).settings) == row.value_in(defaults), (
            row.name
        )

    assert table["jobs.dedup_window"].variable == "HYSDS_JOBS_DEDUP_WINDOW"
    assert len({row.variable for row in table.values()}) == len(table)


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("HYSDS_LEGER_URL", "redis://h", "no such setting; did you mean HYSDS_LEDGER_URL?"),
        ("HYSDS_JOB_DEDUP_WINDOW", "1d", "did you mean HYSDS_JOBS_DEDUP_WINDOW?"),
        ("HYSDS_LOGS_MEMORY", "10 Gib", "is not a size"),
        ("HYSDS_LEDGER_LEASE", "half an hour", "is not a duration"),
        ("HYSDS_LEDGER_LEASE", "1s", "too little: at least 5s"),
        ("HYSDS_LEDGER_LEASE", "", "is not a duration"),
        ("HYSDS_WORKER_SLOTS", "0", "too little: at least 1"),
        ("HYSDS_WORKER_SLOTS", "2.5", "a whole number is needed"),
        ("HYSDS_WORKER_QUEUES", "a,,b", "a line of text is needed"),
        ("HYSDS_WORKER_QUEUES", "a,a", "twice"),
        ("HYSDS_WORKER_QUEUES", "a b", "can't name a queue: letters"),
        ("HYSDS_WORKER_NAME", "two words", "can't name a worker: letters"),
        ("HYSDS_JOBS_DEFAULT_TIME_LIMIT", "4000d", "too much: at most 3650d"),
        ("HYSDS_JOBS_DEDUP_STATES", "job-failed", "none of job-queued"),
        ("HYSDS_JOBS_DEDUP_WINDOW", "", "is not a duration"),
        ("HYSDS_RECONCILER_INTERVAL", "3s", "at most 2s"),
        ("HYSDS_LEDGER_URL", "http://h", "redis://"),
        ("HYSDS_LEDGER_CA_FILE", "/nowhere.pem", "asks for no TLS"),
        ("HYSDS_CONFIG", "/nowhere/hysds.toml", "no such file"),
        ("HYSDS_CONFIG", "/etc/hostname", "a .py or a .toml"),
    ],
)  # fmt: skip
def test_what_can_not_be_used_stops_the_start_and_names_its_source(
    tmp_path: Path, variable: str, text: str, message: str
) -> None:
    """A typing error must not leave somebody believing in a setting that is not in force."""
    with pytest.raises(InvalidSettings) as caught:
        loaded(tmp_path, **{variable: text})

    assert message in str(caught.value)
    assert variable in str(caught.value) or text in str(caught.value)


def test_an_unknown_argument_is_refused(tmp_path: Path) -> None:
    """Arguments come from our own doors; a wrong name there is a mistake as well."""
    with pytest.raises(InvalidSettings, match=r"argument worker\.slot: .*worker\.slots"):
        loaded(tmp_path, {"worker.slot": 1})


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    """Nobody mends a file line by line, one start for each."""
    with pytest.raises(InvalidSettings) as caught:
        loaded(tmp_path, HYSDS_WORKER_SLOTS="x", HYSDS_LOGS_MEMORY="y", HYSDS_NO_SUCH="z")

    for name in ("HYSDS_WORKER_SLOTS", "HYSDS_LOGS_MEMORY", "HYSDS_NO_SUCH"):
        assert name in str(caught.value)


@pytest.mark.parametrize(
    ("variables", "account", "message"),
    [
        ({"HYSDS_LEDGER_RENEW_INTERVAL": "10s"}, "HYSDS_LEDGER_RENEW_INTERVAL", "at least 54s"),
        ({"HYSDS_LEDGER_LEASE": "13s"}, "HYSDS_LEDGER_LEASE", "at least 14s"),
        ({"HYSDS_LEDGER_TIMEOUT": "7s"}, "HYSDS_LEDGER_TIMEOUT", "four of ledger.timeout"),
        ({"HYSDS_LEDGER_LEASE": "10m"}, "HYSDS_LEDGER_LEASE", "worker.isolation_limit"),
        ({"HYSDS_LOGS_PER_JOB": "1GB"}, "HYSDS_LOGS_PER_JOB", "logs.memory"),
        (
            {"HYSDS_LEDGER_URL": "rediss://h", "HYSDS_LEDGER_CA_FILE": "/nowhere.pem"},
            "HYSDS_LEDGER_CA_FILE",
            "/nowhere.pem can't be read",
        ),
        (
            {"HYSDS_BROKER_URL": "amqps://h", "HYSDS_BROKER_KEY_FILE": "/etc/hostname"},
            "HYSDS_BROKER_KEY_FILE",
            "needs broker.cert_file",
        ),
    ],
)
def test_values_that_contradict_each_other_are_refused(
    tmp_path: Path, variables: dict[str, str], account: str, message: str
) -> None:
    """The one that somebody set is named, not the default that it broke."""
    with pytest.raises(InvalidSettings, match=account) as caught:
        loaded(tmp_path, **variables)

    assert message in str(caught.value)


def test_the_worker_counts_its_lease_shorter_than_the_ledger(tmp_path: Path) -> None:
    """By twice what one step may add to the ledger's clock: 26 s of 30."""
    assert loaded(tmp_path).settings.ledger.worker_lease_s == 26.0


@pytest.mark.parametrize(("lease", "timeout_s"), [("30s", 5.0), ("1h", 5.0), ("14s", 2.5), ("5s", 1.0)])
def test_a_call_to_the_ledger_is_given_up_well_within_a_lease(
    tmp_path: Path, lease: str, timeout_s: float
) -> None:
    """Three timeouts fit in what the worker counts, from leases of 8 s on; one that is set stands."""
    variables = {
        "HYSDS_LEDGER_LEASE": lease,
        "HYSDS_LEDGER_RENEW_INTERVAL": "0.1s",
        "HYSDS_WORKER_ISOLATION_LIMIT": "1h",
    }

    assert loaded(tmp_path, **variables).settings.ledger.answer_timeout_s == timeout_s
    assert loaded(tmp_path, HYSDS_LEDGER_TIMEOUT="0.3s").settings.ledger.answer_timeout_s == 0.3


def test_empty_text_and_forever_mean_none(tmp_path: Path) -> None:
    """The environment can take back what a file set."""
    (tmp_path / "hysds.toml").write_text("[ledger]\nurl = 'redis://h'\n[jobs]\ndedup_window = '1d'\n")

    settings = loaded(tmp_path, HYSDS_LEDGER_URL="", HYSDS_JOBS_DEDUP_WINDOW="forever").settings

    assert (settings.ledger.url, settings.jobs.dedup_window_s) == (None, None)


def test_a_relative_path_starts_where_it_was_written(tmp_path: Path) -> None:
    """In a file at the file, elsewhere at the caller's directory."""
    (tmp_path / "conf").mkdir()
    file = tmp_path / "conf" / "h.toml"
    file.write_text("[worker]\nwork_dir = 'jobs'\n")

    from_file = loaded(tmp_path, HYSDS_CONFIG=str(file))
    from_environment = loaded(tmp_path, HYSDS_CONFIG=str(file), HYSDS_WORKER_WORK_DIR="w")

    assert from_file.settings.work_dir == tmp_path / "conf" / "jobs"
    assert from_environment.settings.work_dir == tmp_path / "w"


def test_variables_that_hysds_sets_inside_jobs_are_let_pass(tmp_path: Path) -> None:
    """A job may start a client of its own."""
    result = loaded(tmp_path, HYSDS_PROGRESS="/x", HYSDS_JOB_ID="y", HYSDS_TEST_REDIS="z", OTHER="w")

    assert result.settings == model.Settings(home=tmp_path)
    assert result.notices == ()


def test_variables_of_the_original_get_a_notice(tmp_path: Path) -> None:
    """They stand in the environment of many machines; what takes their place is told."""
    result = loaded(tmp_path, HYSDS_ROOT_WORK_DIR="/data/work", HYSDS_JOB_CREATORS_DIR="/x")

    assert result.settings.work_dir == tmp_path / "work"
    assert [notice.source for notice in result.notices] == [
        "environment HYSDS_JOB_CREATORS_DIR",
        "environment HYSDS_ROOT_WORK_DIR",
    ]
    assert "HYSDS_WORKER_WORK_DIR" in str(result.notices[1])


def test_a_child_process_loads_the_same_settings(tmp_path: Path) -> None:
    """Whatever its directory: arguments and variables travel as variables, the file by its name."""
    (tmp_path / "hysds.toml").write_text("[worker]\nslots = 2\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "celeryconfig.py").write_text("worker_concurrency = 9\n")
    parent = loaded(
        tmp_path,
        {"worker.queues": ("gpu", "cpu"), "ledger.lease": 40, "jobs.dedup_window": "forever"},
        HYSDS_LEDGER_URL="redis://:secret@h/2",
        HYSDS_WORKER_MEMORY="1.5GB",
    )

    child = load.load(None, parent.handed_on(), elsewhere)

    assert child.settings == parent.settings
    assert child.file == parent.file


def test_a_child_does_not_find_a_file_that_its_parent_did_not(tmp_path: Path) -> None:
    """No file in the parent is no file in the child."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "celeryconfig.py").write_text("worker_concurrency = 9\n")

    child = load.load(None, loaded(tmp_path).handed_on(), elsewhere)

    assert child.file is None
    assert child.settings == model.Settings(home=tmp_path)


def test_a_home_that_can_not_be_read_is_told_once(tmp_path: Path) -> None:
    """It is needed before all else, to find the file; the mistake is still reported with its source."""
    with pytest.raises(InvalidSettings) as caught:
        load.load(None, {"HYSDS_HOME": "a\nb", "HYSDS_CONFIG": ""}, tmp_path)

    assert str(caught.value) == "environment HYSDS_HOME: a line of text is needed"


def test_the_store_may_lie_elsewhere(tmp_path: Path) -> None:
    """SQLite wants a local disk; the home may be on a network file system."""
    assert loaded(tmp_path, HYSDS_STORE_URL="sqlite:///var/j.db").settings.store_path == Path("/var/j.db")


def test_settings_can_not_be_changed_after_loading(tmp_path: Path) -> None:
    """Read once, frozen after."""
    with pytest.raises(AttributeError):
        loaded(tmp_path).settings.ledger.lease_s = 1.0  # type: ignore[misc]


def test_a_home_too_deep_for_the_embedded_ledgers_socket_is_refused(tmp_path: Path) -> None:
    """A socket's path has 107 bytes: the message says so, and what to do; a ledger elsewhere makes no such socket."""
    deep = tmp_path / ("h" * 100)
    with pytest.raises(InvalidSettings, match=r"HYSDS_HOME.*107 bytes.*shorter home"):
        load.load(None, {"HYSDS_HOME": str(deep)}, tmp_path)

    elsewhere = {"HYSDS_HOME": str(deep), "HYSDS_LEDGER_URL": "redis://127.0.0.1/0"}
    assert load.load(None, elsewhere, tmp_path).settings.home == deep
