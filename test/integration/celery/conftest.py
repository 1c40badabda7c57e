"""Real `celery worker` processes whose job worker the test directs."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Any

import pytest

from hysds.adapters.bell.celery import CeleryBell
from hysds.settings.model import Settings
from hysds.settings.servers import Broker
from services.ports import Reservation
from services.process import own_directory
from services.rabbitmq import RabbitOptions
from services.redis import RedisOptions

_HERE = Path(__file__).parent
_PATIENCE_S = 60.0


class Director:
    """Hands out jobs, ends them, and hears all that workers do; any thread."""

    def __init__(self, directory: Path) -> None:
        self.address = str(directory / "director")
        self._listener = Listener(self.address, backlog=64)
        self._changed = threading.Condition()
        self._ready: deque[str] = deque()
        self._endings: dict[str, str] = {}
        self._orders: dict[str, Connection] = {}
        self.events: list[tuple[object, ...]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def offer(self, *job_ids: str) -> None:
        """Jobs for whoever asks next."""
        with self._changed:
            self._ready.extend(job_ids)

    def end(self, job_id: str, how: str = "completed") -> None:
        """Let a running job end; `crash` lets `perform` raise."""
        with self._changed:
            self._endings[job_id] = how
            self._changed.notify_all()

    def order(self, worker: str, *order: object) -> None:
        """Have a worker call, shut or open."""
        self._orders[worker].send(order)

    def wait(self, *event: object, times: int = 1) -> None:
        """Until an event was heard so often; an AssertionError that shows all events if it never is."""
        with self._changed:
            heard = self._changed.wait_for(lambda: self.events.count(event) >= times, _PATIENCE_S)
        assert heard, f"{event} was heard {self.events.count(event)} times of {times}: {self.events}"

    def count(self, *event: object) -> int:
        with self._changed:
            return self.events.count(event)

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except (OSError, EOFError):
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        with contextlib.suppress(EOFError, OSError):
            worker, kind, *rest = connection.recv()
            name = worker.partition("@")[0]
            if kind == "orders":
                self._orders[name] = connection
                self._note(name, "started")
            elif kind == "event":
                self._note(name, *(item if not isinstance(item, list) else tuple(item) for item in rest))
                connection.send("noted")
            else:
                self._perform(name, rest[0], connection)

    def _perform(self, worker: str, queue: str, connection: Connection) -> None:
        with self._changed:
            job_id = self._ready.popleft() if self._ready else None
        self._note(worker, "heard", queue)
        connection.send(job_id)
        if job_id is None:
            return
        connection.recv()
        self._note(worker, "running", job_id)
        with self._changed:
            self._changed.wait_for(lambda: job_id in self._endings)
        connection.send(self._endings[job_id])
        self._note(worker, "ended", job_id)

    def _note(self, *event: object) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()


class WorkerProcess:
    """One `celery worker` of the fake app."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """The exit code, once it has ended."""
        try:
            return self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the worker did not end; its log:\n{self.log}") from None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class Flower:
    """A real Flower on the stage's broker."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self._reservation = Reservation()
        url = f"--port={self._reservation.port}"
        self.process = WorkerProcess(
            [*command, "--address=127.0.0.1", url], environment | {"FLOWER_UNAUTHENTICATED_API": "true"}, log
        )

    def await_worker(self, name: str) -> None:
        """Until it hears the events of a worker."""
        self._until("/metrics", lambda text: f'flower_worker_online{{worker="{name}@here"}} 1.0' in text)

    def tasks_until(self, holds: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """All that `/api/tasks` names, once that holds of it."""
        return _tasks(self._until("/api/tasks", lambda text: holds(_tasks(text))))

    def close(self) -> None:
        self.process.kill()
        self._reservation.close()

    def _until(self, path: str, holds: Callable[[str], bool]) -> str:
        text = ""

        def look() -> bool:
            nonlocal text
            with contextlib.suppress(OSError):
                answer = urllib.request.urlopen(
                    f"http://127.0.0.1:{self._reservation.port}{path}", timeout=20
                )
                text = answer.read().decode()
                return holds(text)
            return False

        until(look, lambda: f"{path} answers {text}; {self.process.log}")
        return text


def _tasks(text: str) -> list[dict[str, Any]]:
    return list(json.loads(text).values())


def until(holds: Callable[[], bool], why: Callable[[], str]) -> None:
    """Ask another process again and again; an AssertionError that says why if it never holds."""
    end = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < end, why()
        time.sleep(0.05)


class Stage:
    """A broker, workers on it and their director."""

    def __init__(self, url: str, queue: str, directory: Path) -> None:
        self.url = url
        self.queue = queue
        self.director = Director(directory)
        self.bell = CeleryBell(Settings(home=Path("/nonexistent"), broker=Broker(url=url)))
        self._directory = directory
        self._workers: list[WorkerProcess] = []
        self._others: list[Flower] = []

    def worker(self, name: str, *options: str, **variables: str) -> WorkerProcess:
        """Start a worker of two slots, and return when it works."""
        worker = self.launch(name, "-Q", self.queue, "-c", "2", *options, **variables)
        self.director.wait(name, "started")
        return worker

    def launch(self, name: str, *options: str, **variables: str) -> WorkerProcess:
        """Start a worker as an operator would, and return at once."""
        command = self.celery("worker", "-n", f"{name}@here", "--loglevel", "INFO", *options)
        worker = WorkerProcess(command, self.environment() | variables, self._directory / f"{name}.log")
        self._workers.append(worker)
        return worker

    def flower(self, *workers: str) -> Flower:
        """Start a Flower that hears these workers."""
        flower = Flower(self.celery("flower"), self.environment(), self._directory / "flower.log")
        self._others.append(flower)
        for name in workers:
            flower.await_worker(name)
        return flower

    def active(self, name: str) -> list[str]:
        """What a real `celery inspect active` shows as the arguments of a worker's tasks."""
        command = self.celery(
            "inspect", "active", "--json", "--timeout", "30", "--destination", f"{name}@here"
        )
        answer = subprocess.run(command, env=self.environment(), capture_output=True, check=True, text=True)
        [tasks] = json.loads(answer.stdout).values()
        return sorted(argument for task in tasks for argument in task["args"])

    def celery(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "celery", "-A", "fake_app", *arguments]

    def environment(self) -> dict[str, str]:
        return os.environ | {"PYTHONPATH": str(_HERE), "DIRECTOR": self.director.address, "BROKER": self.url}

    def close(self) -> None:
        for worker in self._workers:
            worker.kill()
        for other in self._others:
            other.close()
        self.bell.close()
        self.director.close()


@pytest.fixture
def stages(unique_name: str) -> Iterator[Callable[[str], Stage]]:
    """Set up a stage on a broker's URL; all of it ends with the test."""
    with contextlib.ExitStack() as stack:

        def make(url: str) -> Stage:
            directory = own_directory("stage")
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
            stage = Stage(url, unique_name, directory)
            stack.callback(stage.close)
            return stage

        yield make


@pytest.fixture(params=["valkey", "rabbitmq"])
def stage(request: pytest.FixtureRequest, stages: Callable[[str], Stage]) -> Stage:
    """A stage on each broker in turn."""
    return stages(request.getfixturevalue(f"{request.param}_server").url)


@pytest.fixture(params=["valkey", "rabbitmq"])
def own_broker(request: pytest.FixtureRequest):
    """A broker of the test's own, to stop and start."""
    start = request.getfixturevalue(f"start_{request.param}")
    return start(RedisOptions() if request.param == "valkey" else RabbitOptions())


@pytest.fixture(name="until")
def _until() -> Callable[[Callable[[], bool], Callable[[], str]], None]:
    """Wait for what only another process can tell."""
    return until
