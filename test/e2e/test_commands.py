"""The commands against a system that runs: real server, real worker, real roles, each a process of its own."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import termios
from typing import Any

import pytest


def _spec(command: str, **fields: Any) -> bytes:
    payload = {"_command": command, **fields.pop("payload", {})}
    spec = {"job_type": "job:e2e", "job_queue": "default", "enable_dedup": False, "payload": payload}
    return json.dumps(spec | fields).encode()


def _shell(script: str, **fields: Any) -> bytes:
    return _spec(f"sh -c '{script}'", **fields)


def _submit(standing: Any, spec: bytes) -> str:
    submitted = standing.hysds("submit", "-", stdin=spec)
    assert submitted.returncode == 0, submitted.stderr
    return str(submitted.stdout.decode().strip())


def _document(standing: Any, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(standing.hysds("status", "--json", job_id).stdout)
    return found


@pytest.mark.parametrize(
    ("spec", "code", "status", "said"),
    [
        (_shell("exit 0"), 0, "job-completed", ""),
        (_shell("exit 7"), 1, "job-failed", "exit code 7"),
        (_spec("no-such-program"), 1, "job-failed", "no such program"),
        (_shell("kill -9 $$"), 1, "job-failed", "ended by SIGKILL"),
        (_shell("sleep 60", soft_time_limit=1, time_limit=2), 1, "job-failed", "soft time limit"),
    ],
)
def test_run_exits_as_its_job(standing: Any, spec: bytes, code: int, status: str, said: str) -> None:
    """The code and the last line of stdout say how it ended, stderr why, and what to do."""
    run = standing.hysds("run", "-", stdin=spec)

    assert run.returncode == code, run.stderr.decode()
    assert re.fullmatch(rf"[0-9a-f-]{{36}} {status}", run.stdout.decode().splitlines()[-1])
    assert said in run.stderr.decode()
    assert b"Traceback" not in run.stderr


def test_output_comes_through_byte_for_byte(standing: Any) -> None:
    """Not UTF-8, no newline at the end, two streams: nothing is changed, and the last line is still our own."""
    run = standing.hysds(
        "run",
        "-",
        stdin=_spec("python3 -c \"import os; os.write(1, b'\\xff\\x00x'); os.write(2, b'\\xfe')\""),
    )

    out, last = run.stdout.rsplit(b"\n", 2)[0], run.stdout.splitlines()[-1]
    assert out == b"\xff\x00x"
    assert last.endswith(b" job-completed")
    assert b"\xfe" in run.stderr


def test_a_million_lines_come_through_in_order(standing: Any) -> None:
    """A follower that keeps up sees every line; one that falls behind is told how much it missed, never misled."""
    run = standing.hysds("run", "-", stdin=_spec("seq 1000000"))
    numbers = [int(line) for line in run.stdout.split(b"\n")[:-2] if line.isdigit()]

    assert run.returncode == 0
    assert numbers[-1] == 1_000_000
    assert numbers == sorted(numbers)
    assert len(numbers) == 1_000_000 or b"missed" in run.stderr


def test_run_says_between_attempts_why_the_last_one_ended(standing: Any) -> None:
    """Whoever watches knows what is waited for, and until when."""
    marker = standing.directory / f"marker-{os.urandom(4).hex()}"
    spec = _shell(
        f"test -e {marker} || {{ touch {marker}; exit 7; }}", retry={"user": {"attempts": 2, "delay": 1}}
    )
    said = standing.hysds("run", "-", stdin=spec).stderr.decode()

    assert re.search(r"attempt 1 ended: user: exit code 7(; the next one comes not before 2\S+Z)?\n", said)
    assert said.index("attempt 1 ended") < said.index("attempt 2 runs on")


def test_status_of_a_running_job_says_where_its_files_are(standing: Any) -> None:
    """Below the worker's own directory, by the name that its worker gave it."""
    gate = standing.directory / f"gate-{os.urandom(4).hex()}"
    job_id = _submit(standing, _shell(f"echo first; until [ -e {gate} ]; do sleep 0.05; done"))
    follower = standing.start("logs", "-f", job_id)
    follower.await_text("first\n", "out")
    shown = standing.hysds("status", job_id).stdout.decode()
    found = re.search(r"(?m)^files +(\S+) below the work_dir of celery@w1", shown)
    gate.touch()

    assert found is not None, shown
    assert (standing.home / "work" / found[1]).is_dir()
    assert follower.end() == 0


def test_a_job_has_no_input(standing: Any) -> None:
    """A command that reads stdin finds its end at once: it can't hang for ever."""
    run = standing.hysds("run", "-", stdin=_shell("cat; echo read"))

    assert run.stdout.splitlines()[0] == b"read"


def test_the_document_is_all_of_stdout_for_machines(standing: Any) -> None:
    """With --json stdout is one object; what the job wrote is on stderr."""
    run = standing.hysds("run", "--json", "-", stdin=_shell("echo to-people"))

    document = json.loads(run.stdout)
    assert document["status"] == "job-completed"
    assert b"to-people" in run.stderr


def test_a_job_that_asks_for_it_gets_the_directory_of_its_submitter(standing: Any) -> None:
    """HYSDS_SUBMIT_DIR names where the command was called."""
    run = standing.hysds("run", "-", stdin=_shell('cat "$HYSDS_SUBMIT_DIR/LICENSE" | head -n 2'))

    assert b"Apache License" in run.stdout


def test_submit_prints_an_id_and_names_duplicates(standing: Any) -> None:
    """The id of the job that stands for it goes to stdout, what it duplicates to stderr."""
    spec = _shell("exit 0", enable_dedup=True, tag="once", payload={"n": os.getpid()})
    first, again = (standing.hysds("submit", "-", stdin=spec) for _ in range(2))
    machine = standing.hysds("submit", "--json", "-", stdin=spec)

    assert first.stderr == b""
    assert again.stdout == first.stdout
    assert re.search(rb"is a duplicate of job [0-9a-f-]{36}, which is job-", again.stderr)
    told = json.loads(machine.stdout)
    assert told["status"] == "job-deduped"
    assert told["dedup_job"] == first.stdout.decode().strip()
    followed = standing.hysds("logs", "-f", told["id"])
    assert followed.returncode == 0
    assert b"is a duplicate of job" in followed.stderr


def test_a_queue_that_no_worker_hears_is_told(standing: Any) -> None:
    """`submit` and `run` say why nothing happens, once a queue; of a queue that is heard they say nothing."""
    nobody, another = (_shell(f"exit 0 # {os.urandom(4).hex()}", job_queue="nobody") for _ in range(2))
    note = b"note: the job waits: no worker that is announced hears queue nobody ("
    submitted = standing.hysds("submit", _written(standing, nobody), "-", stdin=another)
    run = standing.start("run", _written(standing, nobody))
    run.await_text(note.decode())
    run.process.send_signal(signal.SIGINT)

    assert submitted.returncode == 0
    assert submitted.stderr.startswith(note)
    assert submitted.stderr.count(b"\n") == 1
    assert b"hysds worker job --queues nobody --name NAME" in submitted.stderr
    assert run.end() == 130
    assert b"note:" not in standing.hysds("run", "-", stdin=_shell("exit 0")).stderr


def test_logs_follow_a_job_from_its_start_to_its_end(standing: Any) -> None:
    """Whoever comes late sees the first line too, and exits as the job."""
    gate = standing.directory / f"gate-{os.urandom(4).hex()}"
    job_id = _submit(
        standing, _shell(f"echo first; until [ -e {gate} ]; do sleep 0.05; done; echo last; exit 3")
    )
    follower = standing.start("logs", "-f", job_id)
    follower.await_text("first\n", "out")
    gate.touch()

    assert follower.end() == 1
    assert follower.out == b"first\nlast\n"
    again = standing.hysds("logs", job_id)
    assert (again.returncode, again.stdout) == (0, b"first\nlast\n")
    assert standing.hysds("logs", "-f", job_id).returncode == 1


def test_an_interrupted_watcher_only_leaves(standing: Any) -> None:
    """Ctrl-C at `logs -f` ends the watching with 130, and the job runs on."""
    gate = standing.directory / f"gate-{os.urandom(4).hex()}"
    job_id = _submit(standing, _shell(f"echo first; until [ -e {gate} ]; do sleep 0.05; done"))
    follower = standing.start("logs", "-f", job_id)
    follower.await_text("first\n", "out")
    follower.process.send_signal(signal.SIGINT)

    assert follower.end() == 130
    assert b"Traceback" not in follower.err
    assert _document(standing, job_id)["status"] == "job-started"
    gate.touch()
    assert standing.hysds("logs", "-f", job_id).returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_cancels_its_job(standing: Any, number: signal.Signals) -> None:
    """`run` waits for the end of what it cancelled, says so, and exits with 130."""
    run = standing.start("run", _written(standing, _shell("echo begun; sleep 600")))
    run.await_text("begun\n", "out")
    run.process.send_signal(number)

    assert run.end() == 130
    last = run.out.decode().splitlines()[-1]
    assert last.endswith(" job-revoked")
    assert b"Traceback" not in run.err
    assert _document(standing, last.split()[0])["status"] == "job-revoked"


def test_an_interrupted_run_of_a_duplicate_leaves_the_other_job_alone(standing: Any) -> None:
    """The job that stands for ours is not ours to cancel."""
    gate = standing.directory / f"gate-{os.urandom(4).hex()}"
    spec = _shell(f"echo begun; until [ -e {gate} ]; do sleep 0.05; done", enable_dedup=True)
    job_id = _submit(standing, spec)
    run = standing.start("run", _written(standing, spec))
    run.await_text("begun\n", "out")
    run.process.send_signal(signal.SIGINT)

    assert run.end() == 130
    assert _document(standing, job_id)["status"] == "job-started"
    gate.touch()
    assert standing.hysds("logs", "-f", job_id).returncode == 0


def test_a_run_outlives_the_reader_of_its_output(standing: Any) -> None:
    """`hysds run job.json | head -n 1` shows one line, and the job still comes to its end."""
    name = _written(standing, _shell("for n in 1 2 3 4 5; do echo $n; sleep 0.1; done; exit 3"))
    run = standing.shell(f"hysds run {name} | head -n 1; echo ${{PIPESTATUS[0]}}")

    assert run.stdout == b"1\n1\n"
    assert b"Traceback" not in run.stderr
    assert b"BrokenPipe" not in run.stderr


def test_cancel_ends_a_running_job_and_tells_of_each(standing: Any) -> None:
    """A running job is revoked by its worker, an ended one stays, an unknown one is told apart with exit code 2."""
    running = _submit(standing, _shell("echo begun; sleep 600"))
    follower = standing.start("logs", "-f", running)
    follower.await_text("begun\n", "out")
    cancelled = standing.hysds("cancel", running)

    assert cancelled.returncode == 0
    assert b"its worker was told to stop it" in cancelled.stdout
    assert follower.end() == 3
    unknown = "01930f5e-7b1c-7000-8000-0123456789ab"
    again = standing.hysds("cancel", "--json", running, unknown)
    assert again.returncode == 2
    assert [json.loads(line) for line in again.stdout.splitlines()] == [
        {"id": running, "answer": "ended"},
        {"id": unknown, "answer": "missing"},
    ]


def test_status_shows_one_in_detail_and_several_as_a_table(standing: Any) -> None:
    """In a pipe a line is a job, whole and without colours."""
    one, two = (_submit(standing, _shell(f"exit {code}", tag="pair")) for code in (0, 5))
    for job_id in (one, two):
        standing.hysds("logs", "-f", job_id)
    detail = standing.hysds("status", two).stdout.decode()
    table = standing.hysds("status", one, two).stdout.decode().splitlines()

    assert re.search(r"(?m)^error +exit code 5$", detail)
    assert re.search(r"(?m)^files +/", detail)
    assert [line.split()[:2] for line in table[1:]] == [[one, "job-completed"], [two, "job-failed"]]
    assert "\x1b" not in detail + "".join(table)


def test_status_without_an_id_shows_what_of_the_system_runs(standing: Any) -> None:
    """Of one that the settings name: its server, workers and roles, and no processes of ours; exit code 0."""
    status = standing.hysds("status")
    told = json.loads(standing.hysds("status", "--json").stdout)

    assert status.returncode == 0, status.stdout
    assert "system" not in told
    assert [worker["slots"] for worker in told["ledger"]["workers"]] == [2]
    assert told["ledger"]["server"].startswith("valkey ")
    assert {role["role"] for role in told["ledger"]["roles"]} == {"indexer", "reconciler"}


def test_jobs_says_where_it_reads_and_pages(standing: Any) -> None:
    """Conditions, pages by cursor and counts, for people and for machines."""
    tag = f"paged-{os.urandom(4).hex()}"
    ids = [_submit(standing, _shell("exit 0", tag=tag)) for _ in range(3)]
    for job_id in ids:
        standing.hysds("logs", "-f", job_id)
    _until_indexed(standing, tag, 3)
    first = standing.hysds("jobs", "--tag", tag, "--limit", "2", "--json")
    told = json.loads(first.stderr)
    second = standing.hysds("jobs", "--tag", tag, "--limit", "2", "--cursor", told["cursor"], "--json")
    counts = standing.hysds("jobs", "--tag", tag, "--limit", "0", "--facet", "status", "--json")

    assert told["total"] == 3
    assert "jobs.db" in told["read_from"]
    found = [json.loads(line)["id"] for line in (first.stdout + second.stdout).splitlines()]
    assert found == ids[::-1]
    assert [json.loads(line) for line in counts.stdout.splitlines()] == [
        {"facet": "status", "value": "job-completed", "count": 3}
    ]
    assert b"3 of 3 jobs that match, in sqlite:" in standing.hysds("jobs", "--tag", tag).stderr


def test_an_unknown_job_is_refused(standing: Any) -> None:
    """No traceback, no endless wait: a sentence that says who was asked."""
    for command in (["status"], ["logs"], ["logs", "-f"]):
        asked = standing.hysds(*command, "01930f5e-7b1c-7000-8000-0123456789ab")
        assert asked.returncode == 2
        assert b"neither the ledger nor" in asked.stderr


def test_a_system_that_is_away_has_its_own_exit_code(standing: Any) -> None:
    """A script can tell a wrong request from a server that does not answer."""
    away = standing.shell(
        "HYSDS_LEDGER_URL=redis://127.0.0.1:1/0 hysds status 01930f5e-7b1c-7000-8000-0123456789ab"
    )

    assert away.returncode == 4
    assert b"the ledger can't be reached" in away.stderr
    assert b"Traceback" not in away.stderr


@pytest.mark.parametrize("command", ["submit", "explain", "cancel", "workers"])
def test_a_ledger_that_hangs_is_told_of_while_it_is_waited_for(command_line: Any, command: str) -> None:
    """On stderr, with its address and how long it is tried; once it is gone, the command ends as unreachable."""
    unknown = "01930f5e-7b1c-7000-8000-0123456789ab"
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel takes connections, and nobody answers
        where = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        command_line.environment["HYSDS_LEDGER_URL"] = where
        asked = {"submit": [_written(command_line, _shell("exit 0"))], "workers": []}.get(command, [unknown])
        waiting = command_line.start(command, *asked)
        waiting.await_text(f"the ledger does not answer yet: {where}; it is tried for 15s in all\n")

    assert waiting.end() == 4
    assert waiting.err.count(b"does not answer yet") == 1
    assert b"Traceback" not in waiting.err


def test_logs_of_a_job_that_wrote_nothing_say_so(standing: Any) -> None:
    """One line on stderr; stdout is as empty as what the job wrote."""
    job_id = _submit(standing, _shell("exit 0"))
    standing.hysds("logs", "-f", job_id)
    shown = standing.hysds("logs", job_id)

    assert (shown.returncode, shown.stdout) == (0, b"")
    assert shown.stderr.decode() == f"job {job_id} wrote nothing\n"


def test_a_run_whose_server_goes_away_says_how_to_go_on(with_server: Any, server: Any) -> None:
    """The job is in a system that is not ours to end: exit code 4, and the command that watches it again."""
    run = with_server.start("run", _written(with_server, _shell("exit 0")))
    run.await_text("in queue default")
    server.kill()

    assert run.end() == 4
    job_id = run.err.decode().split()[1]
    assert f"hysds logs -f {job_id}" in run.err.decode()
    assert b"Traceback" not in run.err


def _written(standing: Any, spec: bytes) -> str:
    path = standing.directory / f"{os.urandom(4).hex()}.json"
    path.write_bytes(spec)
    return str(path)


def _until_indexed(standing: Any, tag: str, count: int) -> None:
    """The store follows the ledger by a moment: it is asked until it has, and the timeout of a command bounds it."""
    line = f"until hysds jobs --tag {tag} --status completed 2>&1 >/dev/null | grep -q '{count} of {count}'; do :; done"
    standing.shell(line)


def test_top_shows_what_runs_where(standing: Any) -> None:
    """Queues, workers with their hosts' load and memory, the running job; in a pipe once, as a table or as JSON."""
    job_id = _submit(standing, _shell("sleep 600", tag="top"))
    while json.loads(standing.hysds("status", job_id, "--json").stdout)["status"] != "job-started":
        pass
    told = json.loads(standing.hysds("top", "--json").stdout)
    while told["workers"][0]["slots_used"] == 0:  # until its next renewal says so
        told = json.loads(standing.hysds("top", "--json").stdout)
    shown = standing.hysds("top").stdout.decode()
    standing.hysds("cancel", job_id)

    assert job_id in {job["id"] for job in told["jobs"]}
    [worker] = told["workers"]
    assert worker["slots_used"] >= 1
    assert worker["memory"]["free_bytes"] > 0
    assert worker["disk"]["total_bytes"] > 0
    assert worker["machine"]["kernel"]
    assert re.search(r"(?m)^worker +state +slots +jobs +load +memory +disk", shown)
    assert job_id in shown
    assert "\x1b" not in shown


def test_events_tell_of_workers_and_of_what_celery_says(standing: Any) -> None:
    """The worker came, and Celery's events of a job's task arrive with its id; each is a document that can be found."""
    found: list[dict[str, Any]] = []
    while not found:
        page = standing.hysds("events", "--type", "worker-online", "--json")
        found = [json.loads(line) for line in page.stdout.splitlines()]
    workers = [
        json.loads(line) for line in standing.hysds("events", "--workers", "--json").stdout.splitlines()
    ]

    assert found[0]["hostname"] == found[0]["event"]["hostname"]
    assert [one["id"] for one in workers] == [found[0]["hostname"]]
    assert workers[0]["resource"] == "worker"
    assert workers[0]["status"] in ("worker-online", "worker-heartbeat")

    heard: set[str] = set()
    submitted: set[str] = set()
    while not heard & submitted:  # what was said before the indexer listened was heard by nobody
        job_id = _submit(standing, _shell("exit 0"))
        standing.hysds("logs", "-f", job_id)
        submitted.add(job_id)
        page = standing.hysds("events", "--type", "celery.task-*", "--limit", "1000", "--json")
        heard = {json.loads(line)["event"].get("job_id", "") for line in page.stdout.splitlines()}
    assert b"celery.task-received" in standing.hysds("events", "--type", "celery.*").stdout


def test_events_are_shown_as_they_come(standing: Any) -> None:
    """Until Ctrl-C, which is an end in order for whoever follows."""
    follows = standing.start("events", "-f", "--type", "celery.task-*", "--json")
    while b"celery.task-" not in follows.out:
        standing.hysds("logs", "-f", _submit(standing, _shell("exit 0")))
    follows.process.send_signal(signal.SIGINT)

    assert follows.end() == 130
    assert json.loads(follows.out.splitlines()[0])["resource"] == "event"


def test_top_on_a_terminal_goes_on_until_ctrl_c_and_leaves_the_screen_as_it_was(standing: Any) -> None:
    """A screen of its own, drawn again and again, no line longer than the terminal; Ctrl-C ends it in order."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (20, 60))
    command = ["setsid", "-c", "hysds", "top", "--interval", "0.2"]
    environment = standing.environment | {"TERM": "xterm"}
    top = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=standing.directory, env=environment
    )
    os.close(theirs)
    said = b""
    while said.count(b"workers: 1") < 3:
        said += os.read(ours, 65536)
    os.write(ours, b"\x03")
    code = top.wait(60)
    while b"\x1b[?1049l" not in said:
        said += os.read(ours, 65536)
    os.close(ours)

    assert code == 0
    assert said.startswith(b"\x1b[?1049h")
    assert b"running jobs:" in said
