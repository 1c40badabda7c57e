"""Celery's arguments from the settings."""

from __future__ import annotations

import click
import pytest

from hysds.cli.worker import arguments, command
from hysds.settings import load


def _arguments(name: str | None = None, **environ: str) -> list[str]:
    return arguments(load.load(environ={"HYSDS_HOME": "/nonexistent", "HYSDS_CONFIG": "", **environ}), name)


def test_queues_and_slots_are_those_of_the_settings() -> None:
    """What no option says, the settings do; an unset name is left to Celery."""
    found = _arguments(HYSDS_WORKER_QUEUES="gpu,cpu", HYSDS_WORKER_SLOTS="3")

    assert found == ["-A", "hysds", "worker", "-Q", "gpu,cpu", "-c", "3"]


def test_a_name_that_was_set_is_handed_on() -> None:
    """From a setting, or from the option, which wins and may hold a host."""
    assert _arguments(HYSDS_WORKER_NAME="w1")[-2:] == ["-n", "w1"]
    assert _arguments("w2@here", HYSDS_WORKER_NAME="w1")[-2:] == ["-n", "w2@here"]


@pytest.mark.parametrize(
    ("role", "queues", "right"),
    [
        ("job", "default,tasks", "hysds worker task --queues tasks"),
        ("job", "jobs_processed", "hysds worker orchestrator --queues jobs_processed"),
        ("task", "default", "hysds worker job --queues default"),
        ("orchestrator", "default", "hysds worker job --queues default"),
    ],
)
def test_a_queue_of_another_kind_of_worker_is_refused(
    monkeypatch: pytest.MonkeyPatch, role: str, queues: str, right: str
) -> None:
    """With the command that would be right, before Celery is started, and as any wrong use."""
    monkeypatch.setenv("HYSDS_HOME", "/nonexistent")
    monkeypatch.setenv("HYSDS_CONFIG", "")

    with pytest.raises(click.UsageError, match=right):
        command.main([role, "--queues", queues], standalone_mode=False)
