"""What a child process is given, and what it is asked."""

from __future__ import annotations

import pytest

from hysds.settings import environment, load


def test_a_childs_environment_is_ours_with_its_settings() -> None:
    """All that is no setting is handed on; settings come from `handed_on` alone, and no descriptor is."""
    ours = {"PATH": "/bin", "HYSDS_WORKER_SLOTS": "7", "HYSDS_CONFIG": "x.py", "HYSDS_READY_FD": "3"}

    assert environment.for_child({"HYSDS_HOME": "/h"}, ours) == {"PATH": "/bin", "HYSDS_HOME": "/h"}


@pytest.mark.parametrize(("text", "fd"), [("7", 7), ("", None), ("x", None), ("-1", None)])
def test_the_descriptor_for_readiness_is_read(text: str, fd: int | None) -> None:
    """Without the variable, or with nonsense in it, nobody asked."""
    assert environment.ready_fd({"HYSDS_READY_FD": text}) == fd
    assert environment.ready_fd({}) is None


def test_the_variable_for_readiness_is_no_unknown_setting() -> None:
    """A role that is started with it loads its settings."""
    load.load(environ={"HYSDS_READY_FD": "3", "HYSDS_HOME": "/tmp/h", "HYSDS_CONFIG": ""})


@pytest.mark.parametrize(("name", "hint"), [("HYSDS_FOO", ""), ("HYSDS_HOMES", "; did you mean HYSDS_HOME?")])
def test_a_hint_is_given_only_for_a_name_that_is_alike(name: str, hint: str) -> None:
    """A shared prefix alone makes no two names alike."""
    assert environment.nearest(name, ["HYSDS_HOME", "HYSDS_CONFIG"]) == hint


def test_a_process_that_takes_this_ones_place_logs_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the words of a command line, or by what stood there before."""
    monkeypatch.setenv("HYSDS_LOG", "warning")

    assert environment.logging_by(("warning", "debug"))["HYSDS_LOG"] == "warning,debug"
    assert environment.logging_by(())["HYSDS_LOG"] == "warning"
    assert environment.logging_by(("debug",))["PATH"]


@pytest.mark.parametrize(
    "name", ["HYSDS_SCHEDULE", "HYSDS_SCHEDULE_TIME", "HYSDS_ARRAY_INDEX", "HYSDS_TASK_ID"]
)
def test_a_client_within_a_job_does_not_stumble_over_what_the_job_is_told(name: str) -> None:
    """A job of a schedule, a member of an array and a task may submit jobs too."""
    load.load(environ={name: "1", "HYSDS_HOME": "/tmp/h", "HYSDS_CONFIG": ""})


def test_a_task_knows_its_id_and_nobody_else_has_one() -> None:
    """By the variable that its worker sets."""
    assert (environment.task_id({"HYSDS_TASK_ID": "t"}), environment.task_id({})) == ("t", "")
