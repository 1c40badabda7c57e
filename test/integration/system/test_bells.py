"""Jobs on a real worker behind a broker that loses messages."""

from __future__ import annotations

from collections.abc import Callable

from hysds.adapters.bell.celery import CeleryBell
from hysds.core.acceptance import DedupPolicy
from hysds.core.job_types.catalog import EMPTY
from hysds.core.parse import parse_document
from hysds.core.record import FOREVER
from hysds.core.status import Status
from hysds.dispatcher import Dispatcher
from hysds.lib.uuid7 import Uuid7Source
from hysds.orchestrator.planning import Planner
from hysds.orchestrator.routing import Ground, Router
from hysds.orchestrator.submit import Orchestrator
from hysds.ports.bell import Bell
from services.redis import RedisServer
from worlds.system import RunningSystem

JOBS = 1_000


class Forgetful:
    """Drops every tenth bell on its way to the broker."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self.asked = self.dropped = 0

    def ring(self, queue: str, times: int) -> None:
        for _ in range(times):
            self.asked += 1
            if self.asked % 10 == 0:
                self.dropped += 1
            else:
                self._bell.ring(queue, 1)

    def close(self) -> None:
        self._bell.close()


class Dead:
    """Says that it rang, and did not: every bell is lost."""

    def ring(self, queue: str, times: int) -> None:
        """Nobody hears it."""

    def waiting(self, queue: str) -> int:
        """As if one lay there."""
        return 1

    def drop(self, queue: str) -> int:
        """There is none."""
        return 0

    def close(self) -> None:
        """Nothing is open."""


def test_with_every_bell_lost_jobs_run_on_workers_that_were_there_and_on_one_that_comes_later(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str
) -> None:
    """A worker bids when it starts, and an announced one is woken by the ledger: no bell is needed for either."""
    running = systems(f"{valkey_server.url[:-1]}1")
    router = Router(lambda: EMPTY, Ground(DedupPolicy(frozenset(), FOREVER), gap_s=300.0))
    orchestrator = Orchestrator(running.system.ledger, Dispatcher(Dead()), Planner(router), Uuid7Source())

    def submitted(count: int) -> list[str]:
        spec = {"job_type": "job:x", "job_queue": unique_name, "payload": {"_command": "true"}}
        return [made.id for _ in range(count) for made in orchestrator.submit([parse_document(spec)])]

    def completed(ids: list[str]) -> bool:
        kept = running.system.ledger.kept(ids)
        return all(one is not None and one.record.status is Status.COMPLETED for one in kept)

    before = submitted(3)
    running.worker("late", unique_name)
    running.until(lambda: completed(before), lambda: running.log("late"))
    after = submitted(3)
    running.until(lambda: completed(after), lambda: running.log("late"))


def test_with_every_tenth_bell_lost_all_jobs_run_in_the_order_of_their_priority(
    systems: Callable[..., RunningSystem], broker_url: str, unique_name: str
) -> None:
    """The bells wait in the broker until a worker comes; what was lost is found all the same, and in order."""
    running = systems(broker_url)
    bell = Forgetful(CeleryBell(running.system.settings))
    router = Router(lambda: EMPTY, Ground(DedupPolicy(frozenset(), FOREVER), gap_s=300.0))
    orchestrator = Orchestrator(running.system.ledger, Dispatcher(bell), Planner(router), Uuid7Source())
    priority = {}
    for number in range(JOBS):
        document = {
            "job_type": "job:x",
            "job_queue": unique_name,
            "priority": number * 7 % 11,
            "payload": {"_command": "true"},
        }
        [submission] = orchestrator.submit([parse_document(document)])
        priority[submission.id] = document["priority"]
    assert (bell.asked, bell.dropped) == (JOBS, JOBS // 10)

    running.worker("w", unique_name, slots=4)

    ids = list(priority)
    ledger = running.system.ledger

    def all_ended() -> bool:
        return all(kept is not None and kept.record.status.is_terminal for kept in ledger.kept(ids))

    running.until(all_ended, lambda: running.log("w"))
    documents = running.client.jobs_by_id(ids)
    assert {found["status"] for found in documents} == {"job-completed"}
    assert {len(found["attempts"]) for found in documents} == {1}
    started = sorted(documents, key=lambda found: found["fence"])
    assert [priority[found["id"]] for found in started] == sorted(priority.values(), reverse=True)
    bell.close()
