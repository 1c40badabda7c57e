"""Jobs that run for as long as a test wants, and the store as it was seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from worlds.system import RunningSystem


class Gated:
    """Jobs that run until their gate opens; each attempt leaves a file with its fence and its process."""

    def __init__(self, running: RunningSystem, queue: str) -> None:
        self.running = running
        self._queue = queue

    def command(self, name: str, then: str = "true") -> str:
        """Say that it began, wait for the gate, and do the last thing."""
        gate = self.running.home / name
        began = f"echo $$ > {gate}.part; mv {gate}.part {gate}.$HYSDS_JOB_FENCE.began"
        return f"sh -c '{began}; while ! test -e {gate}.open; do sleep 0.05; done; {then}'"

    def spec(self, name: str, **fields: Any) -> dict[str, Any]:
        """What `submit` hands in."""
        payload = {"_command": self.command(name)}
        made = {"job_type": "job:x", "job_queue": self._queue, "payload": payload, "enable_dedup": False}
        return made | fields

    def submit(self, name: str, **fields: Any) -> str:
        """A new job's id; `fields` go into its spec."""
        return self.running.client.submit(self.spec(name, **fields)).id

    def begun(self, name: str) -> dict[int, int]:
        """The processes of the job's attempts by their fences."""
        found = self.running.home.glob(f"{name}.*.began")
        return {int(path.name.split(".")[1]): int(path.read_text()) for path in found}

    def until_begun(self, name: str, times: int = 1) -> None:
        """Until so many attempts have begun."""
        self.running.until(lambda: len(self.begun(name)) >= times, lambda: self.running.log("w"))

    def open(self, name: str) -> None:
        """Let the job end, now and whenever it runs again."""
        (self.running.home / f"{name}.open").touch()


class Stored:
    """What the store shows, as it is looked at; each look is remembered."""

    def __init__(self, running: RunningSystem) -> None:
        self._running = running
        self._revisions: dict[str, list[int]] = {}

    def status(self, job_id: str) -> str:
        """The status that is shown; `None` as text for a job that is not there."""
        return str(self._look(job_id).get("status"))

    def is_at(self, documents: Iterable[dict[str, Any]]) -> bool:
        """Whether the store shows these documents."""
        return all(self._look(document["id"]) == document for document in documents)

    def assert_never_back(self) -> None:
        """No look showed an older revision than one before."""
        for seen in self._revisions.values():
            assert seen == sorted(seen)

    def _look(self, job_id: str) -> dict[str, Any]:
        [found] = self._running.system.store.get([job_id])
        if found is not None:
            self._revisions.setdefault(job_id, []).append(found["revision"])
        return found or {}
