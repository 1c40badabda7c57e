"""What the roles log as processes: lines of JSON from Celery's and our own rooms alike, and nobody's secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.redis import RedisOptions, RedisServer
from worlds.system import RunningSystem

PASSWORD = "open/sesame@1001"  # quoted in the URL, plain in what a library says
TOKEN = "hf_aVeryPrivateValue"


@pytest.fixture
def server(start_valkey: Callable[[RedisOptions], RedisServer]) -> RedisServer:
    """With a password that has to be quoted in a URL."""
    return start_valkey(RedisOptions(password=PASSWORD))


@pytest.fixture
def system(server: RedisServer, tmp_path: Path) -> Iterator[RunningSystem]:
    """All roles, behind it."""
    running = RunningSystem(
        tmp_path, server.url, server.url.replace("/0", "/1"), HYSDS_LOG="info,leasing=debug,format=json"
    )
    running.worker("w1", "gpu")
    for role in ("reconciler", "indexer"):
        running.start(role, "-m", "hysds", role)
    yield running
    running.close()


def _lines(system: RunningSystem, name: str) -> list[dict[str, Any]]:
    """What a role logged; the banner that Celery prints is no log."""
    return [json.loads(line) for line in system.log(name).splitlines() if line.startswith("{")]


def test_every_transition_is_one_line_that_names_job_attempt_and_worker(system: RunningSystem) -> None:
    """Claim and end by the worker, with the fence; Celery's own lines look alike, and no secret stands in any."""
    job = system.submit("gpu", "exit 3", env={"HF_TOKEN": TOKEN})
    system.until(
        lambda: system.client.job(job)["status"] == "job-failed",
        lambda: system.log("w1"),
    )

    lines = _lines(system, "w1")
    said = [line for line in lines if line.get("job") == job and "action" in line]
    assert [line["action"] for line in said] == ["claim", "commit"]
    assert said[1]["status"] == "job-failed"
    assert len({(line["fence"], line["worker"], line["role"]) for line in said}) == 1
    assert said[0]["worker"].startswith("w1@here/")
    assert {line["room"].split(".")[0] for line in lines} >= {"celery", "leasing"}
    for name in ("w1", "reconciler", "indexer"):
        text = system.log(name)
        assert TOKEN not in text
        assert PASSWORD not in text
        assert "open%2Fsesame" not in text
    assert {line["role"] for line in _lines(system, "reconciler")} == {"reconciler"}


def test_an_outage_is_told_by_all_roles_without_the_password(
    system: RunningSystem, server: RedisServer
) -> None:
    """What redis-py and kombu say of their connections goes through the same filter."""
    names = ("w1", "reconciler", "indexer")
    system.until(
        lambda: len(system.system.roster.signatures()) == 2 and "ready." in system.log("w1"),
        lambda: "\n".join(map(system.log, names)),
    )
    server.kill()
    for name in names:
        system.until(
            lambda name=name: any(line["level"] == "warning" for line in _lines(system, name)),
            lambda name=name: system.log(name),
        )

    for name in names:
        assert PASSWORD not in system.log(name)
        assert "open%2Fsesame" not in system.log(name)
