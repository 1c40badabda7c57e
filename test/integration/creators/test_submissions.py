"""Submissions through creators in processes of their own, on a real ledger: taken, refused, repeated."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hysds.bootstrap import System
from hysds.core import ids
from hysds.core.errors import CreatorFailed
from hysds.core.ids import JobId
from hysds.core.job_types.catalog import Command, Creator, JobType, with_added
from hysds.lib.process.guard import tree
from hysds.lib.uuid7 import Uuid7Source
from hysds.sdk.client import Client
from hysds.settings import load
from services.redis import RedisOptions, RedisServer

TESTS = Path(__file__).parents[2]
NEW_ID = Uuid7Source()
FUNCTIONS = ("one", "several", "raising", "texts", "hanging", "dying", "absent")
TYPES = [
    JobType("tile", command=Command("echo", (), ("tile", "$number"))),
    JobType("job:off-list", (Creator("c", "os.system", ("q",)),)),
    *(JobType(f"job:{name}", (Creator("c", f"worlds.creating.{name}", ("q",)),)) for name in FUNCTIONS),
]


Make = Callable[[str], Client]


@pytest.fixture
def make(start_valkey: Callable[[RedisOptions], RedisServer], tmp_path: Path) -> Iterator[Make]:
    """Makes clients of a ledger with all these types, whose creators have so much time."""
    url = start_valkey(RedisOptions()).url
    made: list[Client] = []

    def one(time_limit: str) -> Client:
        variables = {
            "HYSDS_HOME": str(tmp_path),
            "HYSDS_CONFIG": "",
            "HYSDS_LEDGER_URL": url,
            "HYSDS_CREATORS_PREFIXES": "worlds.creating",
            "HYSDS_CREATORS_DIR": str(TESTS),
            "HYSDS_CREATORS_TIME_LIMIT": time_limit,
            "HYSDS_CREATORS_JOBS": "50",
        }
        system = System(load.load(None, variables, tmp_path).settings)
        system.catalog.change(partial(with_added, added=TYPES))
        made.append(Client(system))
        return made[-1]

    before = set(tree.children(os.getpid()))
    yield one
    for client in made:
        client.close()
    assert set(tree.children(os.getpid())) <= before


@pytest.fixture
def client(make: Make) -> Client:
    """One whose creators have all the time that a busy host needs."""
    return make("10m")


def _request(name: str, **payload: Any) -> dict[str, Any]:
    return {"job_type": f"job:{name}", "payload": payload}


def test_a_request_becomes_the_job_that_its_creator_makes(client: Client) -> None:
    """With the command of its type; a repeat is the same job."""
    id_ = NEW_ID()
    first = client.submit(_request("one", number=7), id_)
    again = client.submit(_request("one", number=7), id_)
    document = client.job(id_)

    assert (first.id, first.status, again.repeated) == (id_, "job-queued", True)
    assert (document["type"], document["queue"]) == ("tile", "q")
    assert document["job"]["params"] == {"number": 7, "_command": "echo tile 7"}


def test_a_request_becomes_the_jobs_that_its_creator_makes(client: Client) -> None:
    """All of them stand there with the submission's answer, as members of a group."""
    id_ = NEW_ID()
    found = client.submit(_request("several", count=5, type="tile"), id_)
    members = client.jobs_by_id([ids.child(JobId(id_), position) for position in range(5)])

    assert (found.members, client.job(id_)["children"]["queued"]) == (5, 5)
    assert [member["job"]["params"]["_command"] for member in members] == [
        f"echo tile {number}" for number in range(5)
    ]
    assert {member["parent"] for member in members} == {id_}


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (_request("absent"), "creator worlds.creating.absent does not exist"),
        (_request("off-list"), "creator os.system is not allowed"),
        (_request("raising", nothing=0), "raised ZeroDivisionError: division by zero"),
        (_request("texts"), "returned int, at position 1, where a job is a dictionary"),
        (_request("several", count=100_000), "returned 100,000 jobs; at most 50 are taken"),
        (_request("dying"), "ended its process with exit code 3"),
        (_request("one"), "its creators made a job that can't be submitted"),
    ],
)
def test_a_creator_that_fails_is_one_refused_submission(
    client: Client, request_: dict[str, Any], why: str
) -> None:
    """Named by type, creator and reason, and on record under the submission's own id; others go on."""
    id_ = NEW_ID()
    with pytest.raises(CreatorFailed) as caught:
        client.submit(request_, id_)
    document = client.job(id_)

    assert str(caught.value).startswith(f"job type {request_['job_type']}: ")
    assert why in str(caught.value)
    assert (document["status"], document["failure_class"]) == ("job-failed", "invalid")
    assert why in document["error"]
    assert client.submit(_request("one", number=1)).status == "job-queued"


def test_a_creator_that_sleeps_is_one_refused_submission(make: Make) -> None:
    """Its time is a setting."""
    id_ = NEW_ID()
    client = make("300ms")
    with pytest.raises(CreatorFailed, match=r"did not end within 0\.3 s"):
        client.submit(_request("hanging"), id_)

    assert client.job(id_)["status"] == "job-failed"


def test_a_traceback_shows_the_line(client: Client) -> None:
    """In the error and in the document."""
    id_ = NEW_ID()
    with pytest.raises(CreatorFailed) as caught:
        client.submit(_request("raising", nothing=0), id_)

    assert 'return {"type": "tile", "params": {"width": 1 / info["nothing"]}}' in str(caught.value)
    assert 'info["nothing"]' in client.job(id_)["error"]
