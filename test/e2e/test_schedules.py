"""`hysds schedule` as an operator types it."""

from __future__ import annotations

import json
import re
from typing import Any

_SPEC = b'{"job_type": "job:e2e", "job_queue": "default", "payload": {"_command": "echo tick"}}'


def _schedule(standing: Any, *arguments: str, stdin: bytes = b"") -> tuple[int, str]:
    ran = standing.hysds("schedule", *arguments, stdin=stdin)
    return ran.returncode, (ran.stdout + ran.stderr).decode()


def test_a_schedule_lives_from_add_to_remove(standing: Any) -> None:
    """Each command says what it did."""
    code, told = _schedule(
        standing, "add", "yearly", "--cron", "@yearly", "--tz", "Europe/Berlin", "-", stdin=_SPEC
    )
    assert (code, told.startswith("schedule yearly: next at 20")) == (0, True)
    assert "yearly  @yearly" in _schedule(standing, "list")[1]
    shown = json.loads(_schedule(standing, "show", "yearly")[1])
    assert shown["spec"]["payload"] == {"_command": "echo tick"}
    assert len(shown["next_times"]) == 5
    assert shown["next_times"][0].endswith("-12-31T23:00:00.000Z")

    assert _schedule(standing, "pause", "yearly") == (0, "schedule yearly is paused\n")
    assert json.loads(_schedule(standing, "list", "--json")[1])["paused"] is True
    job_id = _schedule(standing, "run", "yearly")[1].strip()
    with standing.client() as client:
        assert client.wait(job_id, 60)["status"] == "job-completed"
    assert re.search(r"^schedule +yearly$", standing.hysds("status", job_id).stdout.decode(), re.MULTILINE)
    assert _schedule(standing, "resume", "yearly")[0] == 0
    assert _schedule(standing, "remove", "yearly") == (0, "schedule yearly is removed\n")
    assert "there are no schedules" in _schedule(standing, "list")[1]


def test_what_is_wrong_with_a_schedule_is_said_before_anything_is_kept(standing: Any) -> None:
    """The expression, the zone and the spec; a name that is taken; one that nobody knows."""
    refused = [
        (("add", "x", "--cron", "61 * * * *", "--tz", "Mars", "-"), "bad minute"),
        (("add", "x", "--cron", "61 * * * *", "--tz", "Mars", "-"), "no time zone"),
        (("add", "a b", "--cron", "@daily", "-"), "letters, digits"),
        (("pause", "nope"), "no schedule nope"),
        (("run", "nope"), "no schedule nope"),
    ]
    for arguments, words in refused:
        code, told = _schedule(standing, *arguments, stdin=_SPEC)
        assert (code, words in told) == (2 if arguments[0] == "add" else code, True), told
        assert code != 0
    code, told = _schedule(
        standing, "add", "x", "--cron", "@daily", "-", stdin=b'{"job_type": "job:e2e", "payload": {}}'
    )
    assert (code, "_command" in told) == (2, True)
    assert "there are no schedules" in _schedule(standing, "list")[1]
