"""`hysds up`, `down` and `status` as an operator has them: real processes, killed in every way."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import CommandLine
from hysds.embedded import standing
from hysds.embedded.home import Home
from hysds.lib.process.guard import tree
from services.process import own_directory
from services.redis import valkey_program

_PATIENCE_S = 90


@pytest.fixture
def home(command_line: Any) -> Any:
    """A command line whose system, if one stands, is ended with the test; leases are as short as they may be."""
    command_line.environment |= {"HYSDS_LEDGER_LEASE": "6s", "HYSDS_LEDGER_RENEW_INTERVAL": "200ms"}
    yield command_line
    command_line.hysds("down", "--now")
    assert command_line.left_running() == []


@pytest.fixture(scope="module")
def system() -> Iterator[Any]:
    """A command line with a detached system that no test of it ends."""
    valkey_program()
    directory = own_directory("e2e")
    login = {"SSH_AUTH_SOCK": "/tmp/agent", "TERM": "xterm", "HYSDS_JOB_ID": "outer"}
    found = CommandLine(directory, **login)
    try:
        _up(found)
        yield found
    finally:
        found.close()
        found.hysds("down", "--now")
        shutil.rmtree(directory, ignore_errors=True)


def _up(home: Any) -> dict[str, Any]:
    """A detached system; answers its state."""
    up = home.hysds("up", "--detach", "--queues", "default", "--slots", "2")
    assert up.returncode == 0, up.stderr
    return _state(home)


def _state(home: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(home.hysds("status", "--json").stdout)
    return found


def _pids(state: dict[str, Any]) -> dict[str, int]:
    processes = state["system"]["processes"]
    return {process["name"]: process["pid"] for process in processes} | {"warden": state["system"]["pid"]}


def _spec(command: str, **fields: Any) -> bytes:
    spec = {"job_type": "job:up", "job_queue": "default", "enable_dedup": False}
    return json.dumps(spec | {"payload": {"_command": command}} | fields).encode()


def _submit(home: Any, command: str, **fields: Any) -> str:
    submitted = home.hysds("submit", "-", stdin=_spec(command, **fields))
    assert submitted.returncode == 0, submitted.stderr
    return str(submitted.stdout.decode().strip())


def _until(holds: Any) -> Any:
    """Ask until it answers something; fails after long."""
    end = time.monotonic() + _PATIENCE_S
    while not (found := holds()):
        assert time.monotonic() < end
    return found


def _ended(home: Any, ids: list[str]) -> list[str]:
    """The statuses of these jobs once all have ended."""

    def statuses() -> list[str]:
        shown = home.hysds("status", "--json", *ids).stdout.splitlines()
        found = [json.loads(line)["status"] for line in shown]
        return found if all(one in ("job-completed", "job-failed", "job-revoked") for one in found) else []

    found: list[str] = _until(statuses)
    return found


def test_commands_reach_a_standing_system_without_any_setting(system: Any) -> None:
    """Submit, follow, search, cancel: all find it by the home; `run` uses it, and ends nothing."""
    pids = _pids(_state(system))
    sleeper = _submit(system, "sleep 600")
    run = system.hysds("run", "-", stdin=_spec("echo through"))
    job_id = _submit(system, "sh -c 'echo hello; exit 3'")
    followed = system.hysds("logs", "-f", job_id)

    assert (run.returncode, run.stdout.splitlines()[0]) == (0, b"through")
    assert (followed.returncode, followed.stdout) == (1, b"hello\n")
    assert system.hysds("cancel", sleeper).returncode == 0
    assert _ended(system, [sleeper]) == ["job-revoked"]
    assert job_id.encode() in _until(lambda: system.hysds("jobs", "--status", "failed").stdout)
    assert _pids(_state(system)) == pids


def test_another_worker_joins_a_standing_system(system: Any) -> None:
    """Of other queues; its jobs go to it, and it leaves alone."""
    worker = system.start_ready("worker", "job", "--queues", "other", "--slots", "1", "--name", "second")
    run = system.hysds("run", "-", stdin=_spec("echo elsewhere", job_queue="other"))
    worker.process.send_signal(signal.SIGTERM)

    assert (run.returncode, run.stdout.splitlines()[0]) == (0, b"elsewhere")
    assert worker.end() == 0
    assert _state(system)["well"]


def test_a_home_that_is_removed_ends_a_system_in_the_foreground(home: Any) -> None:
    """It says why, with exit code 4, and nothing is left running."""
    up = home.start("up", "--queues", "default")
    up.await_text("  logs ", "out")
    shutil.rmtree(home.home)

    assert up.end() == 4, up.err
    assert b"was removed while the system ran" in up.err
    assert home.left_running() == []


def test_a_second_up_says_so(system: Any) -> None:
    """Who has the home and since when, with exit code 2; the first goes on."""
    pids = _pids(_state(system))
    again = system.hysds("up")

    assert again.returncode == 2
    assert re.search(
        rf"runs under \S+ already: process {pids['warden']}, since 20\S+Z".encode(), again.stderr
    )
    assert _pids(_state(system)) == pids


def test_roles_know_nothing_of_the_shell_that_started_them(system: Any) -> None:
    """Not its terminal, its agent or its directory; the server none of the settings, so no password."""
    pids = _pids(_state(system))
    worker = Path(f"/proc/{pids['worker']}/environ").read_bytes()

    assert not any(name in worker for name in (b"SSH_AUTH_SOCK=", b"TERM=", b"HYSDS_JOB_ID=", b"PWD="))
    assert b"HYSDS_HOME=" in worker
    assert b"HYSDS_" not in Path(f"/proc/{pids['valkey']}/environ").read_bytes()
    places = {os.readlink(f"/proc/{pid}/cwd") for pid in pids.values()}
    assert places == {str(system.home), str(system.home / "valkey")}


def test_status_is_bounded_and_tells_what_hangs(system: Any) -> None:
    """A server that is stopped: the other parts are shown, and the exit code says that one can't be reached."""
    pids = _pids(_state(system))
    well = system.hysds("status")
    os.kill(pids["valkey"], signal.SIGSTOP)
    hangs = system.hysds("status")
    os.kill(pids["valkey"], signal.SIGCONT)

    assert well.returncode == 0, well.stdout
    for said in (b"valkey ", b"answers in ", b"the ledger", b" of 2 slots busy", b"celery@", b"default"):
        assert said in well.stdout
    assert hangs.returncode == 4
    given = re.search(rb"(?m)^ledger +no answer within ([0-9.]+) s$", hangs.stdout)
    assert given is not None
    assert float(given[1]) < 3  # what the start of the command took is taken off
    assert f"valkey: process {pids['valkey']} is stopped".encode() in hangs.stdout
    assert re.search(rb"(?m)^store +sqlite:", hangs.stdout)


@pytest.mark.parametrize("name", ["valkey", "worker", "reconciler", "indexer"])
def test_a_process_that_lives_and_does_not_work_is_named(system: Any, name: str) -> None:
    """Stopped by hand: `status` and `doctor` say which, and how it comes back; both are content again after it."""
    pid = _pids(_state(system))[name]
    os.kill(pid, signal.SIGSTOP)
    try:
        status, told = system.hysds("status"), _state(system)
        doctor = system.hysds("doctor", "--json")
    finally:
        os.kill(pid, signal.SIGCONT)
    hangs = [one for one in map(json.loads, doctor.stdout.splitlines()) if one["code"] == "embedded.hangs"]

    assert status.returncode == 4
    assert f"{name}: process {pid} is stopped; kill -9 {pid}, it is started again".encode() in status.stdout
    assert not told["well"]
    assert doctor.returncode == (4 if name == "valkey" else 1)
    assert [one["what"] for one in hangs] == [f"{name}: process {pid} is stopped"]
    _until(lambda: system.hysds("status").returncode == 0)


def test_down_ends_all_and_says_what(home: Any) -> None:
    """Each process and how it ended; with nothing to end all is well."""
    pids = _pids(_up(home))
    down = home.hysds("down")
    none = home.hysds("down")

    assert down.returncode == 0
    assert b"worker ended with exit code 0\n" in down.stdout
    assert down.stdout.splitlines()[-2:] == [
        b"valkey ended with exit code 0",
        b"nothing runs under %s any more" % os.fsencode(home.home),
    ]
    assert not any(tree.is_alive(pid) for pid in pids.values())
    assert (none.returncode, none.stdout) == (0, b"no system runs under %s\n" % os.fsencode(home.home))


def test_a_system_in_the_foreground_ends_in_order_at_ctrl_c(home: Any) -> None:
    """It tells where it is and where logs lie; a running job may end, and is completed when all has ended."""
    up = home.start("up", "--queues", "default", "--slots", "1")
    up.await_text("  logs ", "out")
    gate = home.directory / "gate"
    job_id = _submit(home, f"sh -c 'echo begun; until [ -e {gate} ]; do sleep 0.05; done'")
    follower = home.start("logs", "-f", job_id)
    follower.await_text("begun\n", "out")
    up.process.send_signal(signal.SIGINT)
    up.await_text("ending: running jobs may go on for", "out")
    gate.touch()

    assert up.end() == 0, up.err
    assert b"worker ended with exit code 0" in up.out
    assert f"a system runs under {home.home} ".encode() in up.out
    assert json.loads(home.hysds("status", "--json", job_id).stdout)["status"] == "job-completed"
    assert home.left_running() == []


def test_a_detached_start_that_is_interrupted_says_so(home: Any) -> None:
    """Ctrl-C before all is ready: exit code 130, not that of a system that stands, and nothing is left running."""
    up = home.start("up", "--detach", "--queues", "default")

    def worker() -> int | None:
        found = standing.state(Home(home.home))
        return next((one.pid for one in found.processes if one.name == "worker"), None) if found else None

    os.kill(
        _until(worker), signal.SIGSTOP
    )  # it is never ready, so the start can't end before it is interrupted
    up.process.send_signal(signal.SIGINT)

    assert up.end() == 130, up.err
    assert home.left_running() == []
    assert b"no system runs" in home.hysds("status").stdout


def test_down_ends_a_system_in_the_foreground_too(home: Any) -> None:
    """From another terminal; the command there ends with 0 and says why."""
    up = home.start("up", "--queues", "default")
    up.await_text("  logs ", "out")
    down = home.hysds("down")

    assert down.returncode == 0
    assert up.end() == 0
    assert up.out.endswith(b"ended, as it was told to\n")


def test_the_end_of_its_terminal_ends_a_foreground_system_and_no_detached_one(home: Any) -> None:
    """A real terminal that is closed: SIGHUP and no place to write to; nothing is left, or everything."""
    for options in ([], ["--detach"]):
        ours, theirs = pty.openpty()
        up = subprocess.Popen(
            ["setsid", "-c", "hysds", "up", "--queues", "default", *options],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=home.directory,
            env=home.environment,
        )
        os.close(theirs)
        said = b""
        while b"  logs " not in said:
            said += os.read(ours, 65536)
        if options:
            assert up.wait(_PATIENCE_S) == 0
        os.close(ours)
        up.wait(_PATIENCE_S)

        assert bool(home.left_running()) == bool(options)
    assert _state(home)["well"]


def test_kill_9_of_a_foreground_up_ends_all_of_it(home: Any) -> None:
    """The warden sees to the rest; the running job is kept for the next start, which runs it."""
    up = home.start("up", "--queues", "default", "--slots", "1")
    up.await_text("  logs ", "out")
    job_id = _submit(home, "sh -c 'echo begun; sleep 1'")
    follower = home.start("logs", "-f", job_id)
    follower.await_text("begun\n", "out")
    up.process.kill()
    up.end()
    _up(home)

    assert _ended(home, [job_id]) == ["job-completed"]
    assert b"exit code" not in follower.err


@pytest.mark.parametrize("victims", ["warden", "all"])
def test_after_kill_9_of_the_warden_or_of_everything_all_jobs_end_once(home: Any, victims: str) -> None:
    """Running, queued and waiting for a slot: the next `up` takes the home, and each accepted job completes, once.

    Until then every command says what happened.
    """
    pids = _pids(_up(home))
    effects = home.directory / "effects"
    effects.mkdir()
    script = f"sh -c 'sleep 0.5; touch {effects}/$HYSDS_JOB_ID.$HYSDS_JOB_FENCE'"
    ids = [_submit(home, script) for _ in range(5)]
    _submit(home, "true", job_queue="other")
    chosen = [pids["warden"]] if victims == "warden" else [pids["warden"], *home.left_running()]
    for pid in chosen:
        tree.tell(pid, signal.SIGKILL)  # with the warden dead, the kernel may have been faster
    _until(lambda: not home.left_running())
    status, submit, down = (
        home.hysds("status"),
        home.hysds("submit", "-", stdin=_spec("true")),
        home.hysds("down"),
    )
    doctor = [json.loads(line) for line in home.hysds("doctor", "--json").stdout.splitlines()]
    up = home.hysds("up", "--detach", "--queues", "default", "--slots", "2")
    well = home.hysds("status")
    doctor += [json.loads(line) for line in home.hysds("doctor", "--json").stdout.splitlines()]

    crashed = f"the system under {home.home} did not end in order: it wrote last at 20".encode()
    kept = b"what was accepted is kept, and goes on with the next `hysds up`"
    for said in (status.stdout, submit.stderr, down.stdout):
        assert crashed in said
        assert kept in said
    assert (status.returncode, submit.returncode, down.returncode, up.returncode) == (4, 4, 0, 0)
    assert "embedded.crashed" in {one["code"] for one in doctor}
    assert {one["severity"] for one in doctor if one["code"] in ("ledger.unbounded", "sandbox.bwrap")} == {
        "ok"
    }
    assert crashed in up.stderr
    assert b"note: no worker hears other (1 ready job): " in up.stdout
    assert crashed not in well.stdout

    assert _ended(home, ids) == ["job-completed"] * 5
    assert {path.name.partition(".")[0] for path in effects.iterdir()} == set(ids)


def test_killed_processes_come_back_and_status_counts_them(home: Any) -> None:
    """Each of them, Valkey first: jobs run on and new ones are taken; restarts and last ends are told; all is well."""
    before = _pids(_up(home))
    gate = home.directory / "gate"
    running = _submit(home, f"sh -c 'echo begun; until [ -e {gate} ]; do sleep 0.05; done'")
    follower = home.start("logs", "-f", running)
    follower.await_text("begun\n", "out")
    for name in ("valkey", "indexer", "reconciler"):
        os.kill(before[name], signal.SIGKILL)

    def restarted() -> Any:
        found = _state(home)
        processes = {process["name"]: process for process in found["system"]["processes"]}
        names = ("valkey", "indexer", "reconciler")
        return found["well"] and all(processes[name]["restarts"] for name in names) and processes

    processes = _until(restarted)
    gate.touch()
    later = _submit(home, "true")

    assert processes["worker"]["restarts"] == 0
    assert processes["valkey"]["last_end"] == "was ended by SIGKILL"
    assert _ended(home, [running, later]) == ["job-completed"] * 2
    attempts = json.loads(home.hysds("status", "--json", running).stdout)["attempts"]
    assert len(attempts) == 1


def test_a_part_that_does_not_come_up_is_named_with_its_last_words(home: Any) -> None:
    """A file of the server is damaged: its own complaint is shown, and nothing runs."""
    up = home.start("up")
    up.await_text("  logs ", "out")
    up.process.send_signal(signal.SIGTERM)
    assert up.end() == 0
    (manifest,) = (home.home / "valkey" / "appendonlydir").glob("*.manifest")
    manifest.write_text("no manifest\n")
    failed = home.hysds("up", "--detach")

    assert failed.returncode == 4
    assert b"valkey ended with exit code 1" in failed.stderr
    assert b"log/valkey.log" in failed.stderr
    assert b"manifest" in failed.stderr
    assert b"nothing is left running" in failed.stderr
    assert home.left_running() == []


def test_foreign_files_in_the_home_are_refused_and_stay(home: Any) -> None:
    """Another application's data where the ledger's belong: exit code 2, and every byte as it was."""
    data = home.home / "valkey"
    data.mkdir(parents=True)
    (data / "dump.rdb").write_bytes(b"REDIS0011 of somebody")
    up = home.hysds("up", "--detach")

    assert up.returncode == 2
    assert b"dump.rdb" in up.stderr
    assert (data / "dump.rdb").read_bytes() == b"REDIS0011 of somebody"


@pytest.mark.parametrize(
    ("command", "code"), [("up", 2), ("up --detach", 2), ("down", 2), ("status", 4), ("doctor --json", 4)]
)
def test_a_home_of_another_user_is_told_in_a_sentence(home: Any, command: str, code: int) -> None:
    """Whose it is and what to set; no traceback, and no call to report a defect."""
    home.home.mkdir(mode=0o700)
    may_look_at_all = os.geteuid() == 0
    if may_look_at_all:
        os.chown(home.home, 65534, -1)
    else:
        home.home.chmod(0)
    # Root without the capabilities that let it look at everybody's files is any user.
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if may_look_at_all else []
    told = subprocess.run(
        [*drop, sys.executable, "-m", "hysds", *command.split()],
        cwd=home.directory,
        env=home.environment,
        capture_output=True,
        check=False,
    )
    if may_look_at_all:
        os.chown(home.home, 0, -1)
    home.home.chmod(0o700)
    text = told.stdout + told.stderr

    assert told.returncode == code
    assert b"warden.sock can't be read: " in text
    assert b"set HYSDS_HOME to a directory of your own" in text
    assert b"Traceback" not in text
    assert b"report it" not in text
    assert b"Error:" not in text


def test_up_is_refused_where_a_ledger_elsewhere_is_set(home: Any) -> None:
    """Its own would be used by nobody; the setting is named."""
    home.environment["HYSDS_LEDGER_URL"] = "redis://127.0.0.1:1/0"
    up = home.hysds("up")
    del home.environment["HYSDS_LEDGER_URL"]

    assert up.returncode == 2
    assert b"HYSDS_LEDGER_URL" in up.stderr


def test_status_of_nothing_says_how_to_begin(home: Any) -> None:
    """Exit code 4, the command to start with, and no file made."""
    status = home.hysds("status")

    assert status.returncode == 4
    assert b"start it with `hysds up`" in status.stdout
    assert not home.home.exists()


def test_down_leaves_a_system_of_run_alone(home: Any) -> None:
    """It ends with its job: refused, with the process to look after."""
    path = home.directory / "job.json"
    path.write_bytes(_spec("sh -c 'echo begun; sleep 600'"))
    run = home.start("run", str(path))
    run.await_text("begun\n", "out")
    down = home.hysds("down")
    run.process.send_signal(signal.SIGINT)

    assert down.returncode == 2
    assert str(run.process.pid).encode() in down.stderr
    assert run.end() == 130


def test_a_job_that_a_killed_run_left_is_done_by_up(home: Any) -> None:
    """kill -9 of `hysds run`: the job stays in the home's ledger, and a system that stands takes it up."""
    path = home.directory / "job.json"
    path.write_bytes(_spec("sh -c 'echo begun; sleep 1'"))
    run = home.start("run", str(path))
    run.await_text("begun\n", "out")
    job_id = re.search(rb"job (\S+) in queue", run.err)
    assert job_id is not None
    run.process.kill()
    run.end()
    _up(home)

    assert _ended(home, [job_id[1].decode()]) == ["job-completed"]
