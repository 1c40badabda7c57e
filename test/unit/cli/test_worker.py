"""Celery's arguments from the settings."""

from __future__ import annotations

from hysds.cli.worker import arguments
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
