"""`hysds worker orchestrator` carries out rules, from its start to its SIGTERM."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from services.redis import RedisServer
from worlds.system import RunningSystem


@pytest.fixture
def system(tmp_path: Path, valkey_server: RedisServer) -> Iterator[RunningSystem]:
    """With a worker for the queue q."""
    found = RunningSystem(tmp_path, valkey_server.unix_url, valkey_server.unix_url)
    with closing(found):
        found.worker("w", "q")
        yield found


def test_the_orchestrator_s_role_carries_out_rules(system: RunningSystem) -> None:
    """A job that failed is done again by a rule, once, and what became of that is left alone; SIGTERM ends it all."""
    process = system.start("orchestrator", "-m", "hysds", "worker", "orchestrator")
    rules = system.client.rules
    rules.add({"name": "again", "when": {"term": {"status": "job-failed"}}, "then": "action:retry"})

    first = system.submit("q", "false")
    system.client.wait(first, 60)
    system.until(lambda: bool(system.client.job(first).get("retried_by")), lambda: system.log("orchestrator"))
    second = system.client.job(first)["retried_by"]
    assert system.client.wait(second, 60)["status"] == "job-failed"
    system.until(
        lambda: "rule again stopped" in system.log("orchestrator"), lambda: system.log("orchestrator")
    )

    told = system.client.job(second)
    assert (told["caused_by"], told["rule"], told["rule_lineage"]) == (first, "again", ["again"])
    assert "retried_by" not in told
    assert rules.are_carried_out()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert "a round takes longer" not in system.log("orchestrator")
