"""A system that is killed piece by piece: real servers and roles with fault points, their supervisor, and a client.

A job of long standing, the bystander, runs all the time: where the job under test has no keeper of its own at a moment,
the bystander's is killed, and what happens to it shows what a fault does to jobs that it is not about.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from redis import Redis

from hysds.bootstrap import System
from hysds.chaos.history import Effect, Mark
from hysds.core.errors import Unreachable
from hysds.core.status import Status
from hysds.lib.uuid7 import Uuid7Source
from hysds.ports.ledger import Kept
from hysds.sdk.client import Client
from hysds.settings import load
from services.process import own_directory
from services.rabbitmq import RabbitServer
from services.redis import RedisServer
from worlds.faults import leftovers, roles
from worlds.faults.client import ArmedAdapters
from worlds.faults.inside import strike
from worlds.faults.watcher import Watcher

QUEUE = "q"
_PATIENCE_S = 60.0
_WORKLOAD = Path(__file__).with_name("workload.py")
_SETTINGS = {
    "HYSDS_CONFIG": "",
    # No lease runs out: whatever is lost is given back by whoever can prove it.
    "HYSDS_LEDGER_LEASE": "1h",
    "HYSDS_WORKER_ISOLATION_LIMIT": "1h",
    "HYSDS_LEDGER_RENEW_INTERVAL": "0.5s",
    "HYSDS_LEDGER_RECORD_RETENTION": "2s",
    "HYSDS_WORKER_DRAIN_TIMEOUT": "0s",
    "HYSDS_WORKER_STOP_GRACE": "2s",
    "HYSDS_RECONCILER_INTERVAL": "0.1s",
    "HYSDS_INDEXER_INTERVAL": "0.05s",
}
_RETRY = {name: {"attempts": 1_000, "delay": 0} for name in ("user", "internal", "worker-lost")}


class FaultySystem:
    """`workers`: how many. `rabbitmq`: None lets the bells go through the ledger's server."""

    def __init__(self, valkey: RedisServer, rabbitmq: RabbitServer | None, workers: int) -> None:
        self.home = own_directory("faults")
        self.valkey = valkey
        self._rabbitmq = rabbitmq
        self._restarting: threading.Thread | None = None
        arms_at = self.home / "faults"
        arms_at.mkdir()
        self.arms = strike.Arms(str(arms_at))
        variables = _SETTINGS | {
            "HYSDS_HOME": str(self.home),
            "HYSDS_LEDGER_URL": valkey.unix_url,
            "HYSDS_BROKER_URL": f"{valkey.url[:-1]}1" if rabbitmq is None else rabbitmq.url,
        }
        environ = roles.environment(arms_at, variables)
        loaded = load.load(environ=variables | {"HYSDS_LEDGER_RECORD_RETENTION": "1h"}, directory=self.home)
        adapters = ArmedAdapters(loaded.handed_on(), self.arms)
        self.system = System(loaded.settings, adapters)
        self.client = Client(self.system)
        self.bell = adapters.bell(loaded.settings)
        self.redis = Redis(unix_socket_path=str(valkey.socket))
        self.base = f"{{{loaded.settings.ledger.prefix}}}:"
        self.new_id = Uuid7Source()
        words = ("-m", "celery", "-A", "hysds", "worker", "-Q", QUEUE, "-c", "2", "--loglevel", "INFO")
        kinds: dict[str, tuple[str, ...]]
        kinds = {f"worker-{n}": (*words, "-n", f"w{n}@here") for n in range(workers)}
        kinds |= {name: ("-m", "hysds", name) for name in ("indexer", "reconciler")}
        self.roles = {
            name: roles.Role(name, words, environ, self.home / f"{name}.log") for name, words in kinds.items()
        }
        self.bystander = self.new_id()

    def start(self) -> None:
        """All roles, and the bystander."""
        self._note_servers()
        self.supervise()
        self.watcher = Watcher(self.system.events)
        self.submit(self.bystander)
        self.settle()

    def submit(self, job_id: str, **fields: Any) -> None:
        """Submit a job that waits for its gate. Raises: Unreachable when no answer came."""
        command = f"{sys.executable} -I -S {_WORKLOAD} {self._effects(job_id)} {self._gate(job_id)}"
        self.client.submit(
            {
                "job_type": "job:fault",
                "job_queue": QUEUE,
                "payload": {"_command": command},
                "enable_dedup": False,
                "retry": _RETRY,
                **fields,
            },
            job_id,
        )

    def open_gate(self, job_id: str) -> None:
        """From now on the job ends by itself."""
        self._gate(job_id).touch()

    def kept(self, job_id: str) -> Kept | None:
        """What the ledger holds of a job; None also while it does not answer."""
        try:
            [kept] = self.system.ledger.kept([job_id])
        except Unreachable:
            return None
        return kept

    def effects(self, job_id: str) -> tuple[Effect, ...]:
        """What the job did, in order."""
        try:
            lines = self._effects(job_id).read_text().splitlines()
        except FileNotFoundError:
            return ()
        return tuple(_effect(job_id, line) for line in lines)

    def has_begun(self, job_id: str) -> bool:
        """Whether its latest attempt runs."""
        kept = self.kept(job_id)
        if kept is None or kept.record.status is not Status.STARTED:
            return False
        return kept.record.fence in {effect.fence for effect in self.effects(job_id)}

    def attempts(self, job_id: str) -> int:
        """How many have ended."""
        kept = self.kept(job_id)
        return 0 if kept is None else len(kept.attempts)

    def standing(self, job_id: str) -> str:
        """Where a job stands, and what was told of it, for a message."""
        kept, told = self.kept(job_id), self.watcher.of(job_id)
        record = None if kept is None else kept.record
        steps = ", ".join(f"{entry.event.step} at {entry.position}" for entry in told)
        where = (
            "forgotten, or never known"
            if record is None
            else f"{record.status}, confirmed {record.confirmed}"
        )
        return f"job {job_id}: {where}; {steps}; {self.system.events.backlog('indexer')} events to index"

    def worker_of(self, job_id: str) -> roles.Role:
        """The role whose process has the job."""
        kept = self.kept(job_id)
        assert kept is not None
        number = kept.record.owner.removeprefix("w").partition("@")[0]
        return self.roles[f"worker-{number}"]

    def supervise(self) -> None:
        """Start what has ended, as an operator's supervisor does."""
        for role in self.roles.values():
            if not role.is_alive():
                role.start(self.arms)

    def revive_server(self, role: str) -> None:
        """Start a server that was killed on its own data: Valkey at once, RabbitMQ in the background."""
        if role == "valkey":
            _restart(self.valkey)
            self.arms.note("valkey", self.valkey.pid)
        elif role == "rabbitmq":
            assert self._rabbitmq is not None
            self._restarting = threading.Thread(target=_restart, args=(self._rabbitmq,))
            self._restarting.start()

    def settle(self) -> None:
        """Until all is as if nothing had ever been killed: everybody at work, nothing left over, the bystander too."""
        if self._restarting is not None:
            self._restarting.join()
            self._restarting = None
            self._note_servers()
        self.until(lambda: not list(self._unsettled()), lambda: "\n".join(self._unsettled()))

    def left_of(self, ended: Kept) -> Iterator[str]:
        """What is left of an ended job that should not be."""
        job_id = ended.record.id
        told = frozenset(attempt.fence for attempt in ended.attempts if attempt.detail)
        yield from leftovers.of_job(self.redis, self.base, job_id)
        yield from leftovers.processes(job_id)
        yield from leftovers.directories(self.system.settings.work_dir, job_id, ended.record.fence, told)

    def keys_of_jobs(self) -> list[str]:
        """Every key of the ledger that is about one job."""
        return leftovers.keys_of_jobs(self.redis, self.base)

    def until(self, holds: Callable[[], bool], why: Callable[[], str]) -> None:
        """Ask again and again; an AssertionError that says why if it never holds."""
        end = time.monotonic() + _PATIENCE_S
        while not holds():
            assert time.monotonic() < end, f"{why()}\n{self.logs()}"
            time.sleep(0.01)

    def logs(self) -> str:
        """The ends of all logs."""
        return "\n".join(f"== {role.name}\n{role.log()[-4000:]}" for role in self.roles.values())

    def close(self) -> None:
        """End everything, at once."""
        self.watcher.stop()
        self.client.close()
        self.bell.close()
        if self._restarting is not None:
            self._restarting.join()
        for role in self.roles.values():
            role.end()
        shutil.rmtree(self.home, ignore_errors=True)

    def _unsettled(self) -> Iterator[str]:
        self.supervise()
        for role in self.roles.values():
            role.await_ready()
        wanted = frozenset(role.pid for role in self.roles.values() if role.name.startswith("worker"))
        announced = leftovers.announced_pids(self.redis, self.base)
        if announced != wanted:
            yield f"workers {sorted(announced)} are announced, {sorted(wanted)} run"
        yield from leftovers.of_workers(self.redis, self.base, wanted)
        yield from leftovers.footholds(
            self.system.settings.work_dir, leftovers.incarnations(self.redis, self.base)
        )
        if not self._is_guarded(self.bystander, wanted):
            yield "the bystander does not run"

    def _is_guarded(self, job_id: str, workers: frozenset[int]) -> bool:
        """Whether its latest attempt runs, below a keeper, a guardian and a worker that live."""
        kept = self.kept(job_id)
        if kept is None:
            return False
        begun = [effect for effect in self.effects(job_id) if effect.fence == kept.record.fence]
        above = strike.line(begun[-1].pid) if begun else []
        return [strike.name(pid) for pid in above[1:3]] == ["keeper", "guardian"] and above[3] in workers

    def _note_servers(self) -> None:
        self.arms.note("valkey", self.valkey.pid)
        if self._rabbitmq is not None:
            # The server's own process is a script that waits for the machine of the language.
            beam = [pid for pid in strike.children(self._rabbitmq.pid) if strike.name(pid) == "beam.smp"]
            self.arms.note("rabbitmq", beam[0])

    def _effects(self, job_id: str) -> Path:
        return self.home / f"{job_id}.effects"

    def _gate(self, job_id: str) -> Path:
        return self.home / f"{job_id}.gate"


def _restart(server: RedisServer | RabbitServer) -> None:
    server.kill()
    server.start()


def _effect(job_id: str, line: str) -> Effect:
    fence, mark, number, boot_us, wall_us, pid = line.split()
    return Effect(job_id, int(fence), Mark(mark), int(number), int(boot_us), int(wall_us), int(pid))
