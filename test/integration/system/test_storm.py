"""A storm of identical submissions from several processes: the command runs once."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable

from services.redis import RedisServer
from worlds.system import RunningSystem

_PROCESSES = 8
_EACH = 125
_SUBMITTER = """
import fcntl, json, pathlib, sys
from hysds import Client
gate, ready, spec, count = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), int(sys.argv[4])
with Client() as client, open(gate) as opened:
    client.types()
    pathlib.Path(ready).touch()
    fcntl.flock(opened, fcntl.LOCK_SH)
    answers = [client.submit(spec) for _ in range(count)]
print(json.dumps([[one.id, one.twin, one.status] for one in answers]))
"""


def test_a_storm_of_identical_submissions_runs_once(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str
) -> None:
    """A thousand from eight processes at once, of a registered type: one job, 999 duplicates of it, one line."""
    running = systems(f"{valkey_server.url[:-1]}1")
    types, out, ready = running.home / "types.json", running.home / "out.txt", running.home / "ready"
    command = {"path": "sh", "options": ["-c", 'echo ran >> "$1"', "sh"], "arguments": ["$file"]}
    types.write_text(json.dumps({"configs": [{"type": "once", "command": command, "queues": [unique_name]}]}))
    ready.mkdir()
    running.start("reconciler", "-m", "hysds", "reconciler", HYSDS_CATALOG_PATHS=str(types))
    running.until(lambda: "once" in running.client.types(), lambda: running.log("reconciler"))
    running.worker("worker", unique_name)
    spec = json.dumps({"job_type": "job:once", "payload": {"file": str(out)}})

    with open(running.home / "gate", "w+") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        storm = [
            running.start(
                f"submitter{number}", "-c", _SUBMITTER, gate.name, str(ready / str(number)), spec, str(_EACH)
            )
            for number in range(_PROCESSES)
        ]
        running.until(lambda: len(list(ready.iterdir())) == _PROCESSES, lambda: running.log("submitter0"))
    assert [process.wait(120) for process in storm] == [0] * _PROCESSES, running.log("submitter0")

    answers = [one for number in range(_PROCESSES) for one in json.loads(running.log(f"submitter{number}"))]
    [first] = [id_ for id_, twin, _ in answers if twin is None]
    assert len(answers) == _PROCESSES * _EACH
    assert {twin for _, twin, _ in answers} == {None, first}
    assert running.client.wait(first, 60)["status"] == "job-completed"
    assert out.read_text() == "ran\n"
