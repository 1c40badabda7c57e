"""Job and interface files that teams already have: registered, explained and run, with no further work."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from hysds.cli import over
from hysds.core import ids
from hysds.core.ids import JobId
from hysds.sdk.client import Client

_PATIENCE_S = 60
_FILES = Path(__file__).parents[1] / "job_files"


@pytest.fixture(scope="module")
def registered(standing: Any) -> Any:
    """A system that runs, with the types of the test's files."""
    added = standing.hysds("types", "add", str(_FILES), "--version", "v1", "--json")
    assert added.returncode == 0, added.stderr
    standing.added = added
    return standing


def _ended(standing: Any, *arguments: str, stdin: bytes = b"") -> tuple[dict[str, Any], str]:
    """The document of the one job that a submission makes, once it ended, and what it printed."""
    submitted = standing.hysds("submit", *arguments, stdin=stdin)
    assert submitted.returncode == 0, submitted.stderr
    job_id = submitted.stdout.decode().strip()
    printed = standing.hysds("logs", "-f", job_id).stdout.decode()
    return json.loads(standing.hysds("status", "--json", job_id).stdout), printed


def test_each_file_says_what_it_asks_that_comes_later(registered: Any) -> None:
    """All are registered; stderr names the file, the key and the reason."""
    types = {one["name"]: one for one in map(json.loads, registered.added.stdout.splitlines())}
    told = registered.added.stderr.decode()

    assert len(types) == 6
    assert types["job-hello:v1"]["refusals"] == []
    for file, key, reason in (
        ("job-spec.json.scene-crop", "imported_worker_files", "can't be mounted yet"),
        ("job-spec.json.scene-crop", "imported_worker_files", "on lines 3 and 6, with different values"),
        ("job-spec.json.scene-crop", "params", '"scene_url" can\'t be localized yet'),
        ("hysds-io.json.scene-crop", "params", "get_best_url(urls, 'http') is not among"),
        ("job-spec.json.interferogram", "dependency_images", '"isce:v2" can\'t be loaded yet'),
        ("job-spec.json.interferogram", "post", '"hysds.utils.triage" can\'t be called yet'),
    ):
        assert any(
            line.startswith("refuses submissions: ") and f"{file}: $.{key}: " in line and reason in line
            for line in told.splitlines()
        ), (file, key, told)


def test_a_job_gets_its_parameters_where_the_files_want_them(registered: Any) -> None:
    """Positional ones follow the command, context ones stand in `_context.json`, converted and checked."""
    arguments = (
        "--type",
        "job-hello:v1",
        "--param",
        "greeting=it's  me",
        "--param",
        "mode=3",
        "--user",
        "ana",
    )
    document, printed = _ended(
        registered, *arguments, "--params-file", "-", stdin=b'{"count": "2", "loud": true, "mode": "once"}'
    )
    words, context = json.loads(printed.splitlines()[0])

    assert document["status"] == "job-completed"
    assert words == ["it's  me", "3", ""]
    assert {
        "count": 2,
        "loud": True,
        "release": "R2",
        "username": "ana",
        "comment": None,
    }.items() <= context.items()
    assert (document["type"], document["queue"]) == ("job:job-hello:v1", "default")


def test_a_wrong_submission_is_told_of_all_that_is_wrong(registered: Any) -> None:
    """Nothing is submitted."""
    refused = registered.hysds(
        "submit", "--type", "job-hello:v1", "--param", "lowd=1", "--param", "count=many"
    )
    told = refused.stderr.decode()

    assert (refused.returncode, refused.stdout) == (2, b"")
    assert "did you mean loud?" in told
    assert "$.params.greeting: is required" in told
    assert '$.params.count: "many" can\'t be converted' in told


def test_a_type_that_waits_for_a_later_release_refuses_with_the_reason(registered: Any) -> None:
    """By its interface, and also where somebody hands in a whole spec of the type."""
    by_type = registered.hysds("submit", "--type", "job-interferogram:v1", "--param", "reference=x")
    spec = b'{"job_type": "job:job-interferogram:v1", "payload": {"_command": "true"}}'
    by_hand = registered.hysds("submit", "-", stdin=spec)

    for refused in (by_type, by_hand):
        assert refused.returncode == 2
        assert b'"isce:v2" can\'t be loaded yet' in refused.stderr


def test_a_query_makes_a_job_for_each_hit_or_one_for_all(registered: Any) -> None:
    """Iteration and individual, over jobs that ended; what would be submitted can be seen before."""
    client = registered.client()
    spec = {"job_type": "job:scene", "job_queue": "default", "tag": "over"}
    payloads = [{"_command": word, "scene": f"S{at}"} for at, word in enumerate(("false", "true", "false"))]
    jobs = [one.id for one in client.submit_many([spec | {"payload": one} for one in payloads])]
    client.await_ends(jobs, 60)
    query = "--tag over --status failed --ascending"
    _await_found(client, query, 2)

    shown = registered.hysds("submit", "--type", "job-again:v1", "--over", query, "--dry-run")
    each = registered.hysds("submit", "--type", "job-again:v1", "--over", query, "--json")
    document, printed = _ended(registered, "--type", "job-tally:v1", "--over", query)

    failed = [jobs[0], jobs[2]]
    planned = [json.loads(line)["payload"] for line in shown.stdout.splitlines()]
    assert [
        (f"echo again {job_id} FAILED", scene) for job_id, scene in zip(failed, ("S0", "S2"), strict=True)
    ] == [(one["_command"], one["scene"]) for one in planned]
    group = json.loads(each.stdout)
    members = [ids.child(JobId(group["id"]), position) for position in range(group["members"])]
    assert client.wait(group["id"], 60)["status"] == "job-completed"
    assert planned == [client.job(member)["job"]["params"] for member in members]
    assert (failed, query) == (json.loads(printed)["job_ids"], json.loads(printed)["query"])
    assert document["status"] == "job-completed"
    client.close()


def _await_found(client: Client, query: str, count: int) -> None:
    """The store follows the ledger by a moment."""
    end = time.monotonic() + _PATIENCE_S
    while client.jobs(over.read(query).query).total < count:
        assert time.monotonic() < end, query
        time.sleep(0.05)


def test_many_jobs_are_submitted_only_after_a_yes(registered: Any) -> None:
    """Where nobody can be asked, it says how to agree."""
    client = registered.client()
    spec = {"job_type": "job:many", "job_queue": "nobody", "tag": "many", "enable_dedup": False}
    client.submit_many([spec | {"payload": {"_command": "true"}}] * 101)
    _await_found(client, "--tag many", 101)
    client.close()
    over = ("submit", "--type", "job-again:v1", "--over", "--tag many", "--queue", "nobody")

    refused, agreed = registered.hysds(*over), registered.hysds(*over, "--yes")

    assert (refused.returncode, refused.stdout) == (2, b"")
    assert b"101 jobs would be submitted: say --yes" in refused.stderr
    assert (agreed.returncode, len(agreed.stdout.split())) == (0, 1)
    assert b"is a group of 101 jobs" in agreed.stderr


def test_other_content_needs_another_version_or_a_yes(registered: Any, tmp_path: Path) -> None:
    """Nothing is replaced by mistake, and one wrong file registers nothing of its directory."""
    spec = tmp_path / "job-spec.json.hello"
    spec.write_text('{"command": "echo other"}')
    add = ("types", "add", str(tmp_path), "--version")

    refused = registered.hysds(*add, "v1")
    tried = registered.hysds(*add, "v2", "--dry-run")
    (tmp_path / "job-spec.json.broken").write_text('{"params": []}')
    broken = registered.hysds(*add, "v3")

    assert refused.returncode == 2
    assert b"job-hello:v1 is registered with other content" in refused.stderr
    assert (tried.returncode, tried.stderr[-34:]) == (0, b"nothing was registered: --dry-run\n")
    assert broken.returncode == 2
    assert b"job-spec.json.broken: $.command: is required" in broken.stderr
    for version in ("v2", "v3"):
        unknown = registered.hysds("submit", "--type", f"job-hello:{version}")
        assert b"not registered" in unknown.stderr


def test_registered_types_outlive_the_system(command_line: Any) -> None:
    """They lie in the ledger of the home: whoever starts it again has them, and submits as before."""
    assert command_line.hysds("up", "--detach").returncode == 0
    assert command_line.hysds("types", "add", str(_FILES), "--version", "v1").returncode == 0
    assert command_line.hysds("down").returncode == 0
    assert command_line.hysds("up", "--detach").returncode == 0
    try:
        document, printed = _ended(command_line, "--type", "job-hello:v1", "--param", "greeting=hi")
    finally:
        command_line.hysds("down")

    assert (
        document["status"],
        json.loads(printed.splitlines()[0])[0],
    ) == ("job-completed", ["hi", "once", ""])


def test_what_was_added_is_told_in_the_words_of_the_list(registered: Any) -> None:
    """One program reads both."""
    added = [json.loads(line) for line in registered.added.stdout.splitlines()]
    listed = {
        one["name"]: one
        for line in registered.hysds("types", "--json").stdout.splitlines()
        for one in [json.loads(line)]
    }

    assert {one["outcome"] for one in added} == {"added"}
    for one in added:
        there = listed[one["name"]]
        assert (one["can_be_submitted"], one["refusals"]) == (
            there["can_be_submitted"],
            there.get("refusals", []),
        )
