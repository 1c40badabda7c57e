"""What a call may do to the process that makes it, and what becomes of the task: real children."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from hysds.lib.process.guard import tree
from worlds.task_worker import TaskBench, make


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TaskBench]:
    """One worker for all: whatever a task did, the next one runs."""
    made = make(tmp_path_factory.mktemp("tasks"))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _the_next_one_runs(bench: TaskBench) -> Iterator[None]:
    yield
    assert bench.run("add", 1, 2)["result"] == 3


def test_a_result_comes_back_as_it_was(bench: TaskBench) -> None:
    """Whatever JSON can carry, nothing and the empty text included; tuples become lists."""
    for value in (None, "", 0, False, [], {}, "ü\n😀", 1 << 70, 1.5, {"a": [1, {"b": None}]}):
        assert bench.run("give", value)["result"] == value

    told = bench.run("add", 1, kwargs={"b": 5})
    assert (told["status"], told["result"], told["resource"]) == ("job-completed", 6, "task")
    assert told["event"]["type"] == "task-succeeded"


def test_a_child_is_kept_from_task_to_task(bench: TaskBench) -> None:
    """That is what makes a task light."""
    assert bench.run("pid")["result"] == bench.run("pid")["result"]


def test_a_function_finds_the_id_of_its_task(bench: TaskBench) -> None:
    """So what it has done can be told as caused by what caused the task; each task has its own."""
    for _ in range(2):
        told = bench.run("task_id")

        assert told["result"] == told["id"]


def test_an_exception_fails_the_task_alone(bench: TaskBench) -> None:
    """With its text, its traceback and the end of what was printed; the child goes on."""
    child = bench.run("pid")["result"]
    told = bench.run("fail", "no luck")

    assert (told["status"], told["failure_class"]) == ("job-failed", "user")
    assert told["error"] == "ValueError: no luck"
    assert "in fail" in told["traceback"]
    assert told["attempts"][-1]["output_tail"] == {"stdout": "about to fail\n"}
    assert told["event"]["type"] == "task-failed"
    assert bench.run("pid")["result"] == child


@pytest.mark.parametrize(
    ("function", "arguments", "words"),
    [
        ("leave", (3,), "exit code 3"),
        ("leave", (0,), "exit code 0"),
        ("segfault", (), "SIGSEGV"),
        ("kill_itself", (signal.SIGKILL,), "SIGKILL"),
        ("kill_itself", (signal.SIGTERM,), "SIGTERM"),
    ],
)
def test_a_task_that_ends_its_process_is_a_failure_that_says_how(
    bench: TaskBench, function: str, arguments: tuple[int, ...], words: str
) -> None:
    """The user's, whatever the exit code; another child takes the place."""
    told = bench.run(function, *map(int, arguments))

    assert (told["status"], told["failure_class"]) == ("job-failed", "user")
    assert words in told["error"]


def test_sys_exit_ends_no_child(bench: TaskBench) -> None:
    """It is an exception like any other."""
    child = bench.run("pid")["result"]

    assert bench.run("exit_in_order", 3)["error"] == "SystemExit: 3"
    assert bench.run("pid")["result"] == child


def test_a_task_that_dies_takes_its_own_processes_with_it(bench: TaskBench, tmp_path: Path) -> None:
    """Also one in a session of its own."""
    told = bench.run("leave_a_process", str(tmp_path / "pid"))

    assert told["status"] == "job-failed"
    assert not tree.is_alive(int((tmp_path / "pid").read_text()))


def test_a_forked_process_that_comes_back_answers_for_no_other_call(bench: TaskBench, tmp_path: Path) -> None:
    """It ends where it comes back: what it would say is not taken for the result of the next task."""
    pipe = str(tmp_path / "pipe")
    forked = bench.run("come_back_twice", pipe)["result"]

    assert bench.run("outlive", pipe, forked)["result"] == "of the second call"


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("set", "set is not JSON serializable"),
        ("bytes", "bytes is not JSON serializable"),
        ("key", "keys are texts, not int"),
        ("deep key", "keys are texts, not NoneType"),
        ("nan", "Out of range float"),
        ("surrogate", "surrogates not allowed"),
        ("itself", "holds itself"),
    ],
)
def test_a_result_that_json_can_t_carry_is_invalid(bench: TaskBench, what: str, words: str) -> None:
    """And says what in it: nothing is quietly made into something else."""
    told = bench.run("odd", what)

    assert (told["status"], told["failure_class"]) == ("job-failed", "invalid")
    assert words in told["error"]
    assert "result" not in told


def test_a_result_of_256_kib_is_kept_and_a_larger_one_says_its_size(bench: TaskBench) -> None:
    """Two bytes of it are the quotation marks."""
    kept, refused = bench.run("big", 262_142), bench.run("big", 262_143)

    assert len(kept["result"]) == 262_142
    assert (refused["status"], refused["failure_class"]) == ("job-failed", "invalid")
    assert "262,145 bytes" in refused["error"]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("os.system", "os.system is in no module that tasks.allow names (light, broken)"),
        ("lighter.f", "lighter.f is in no module"),
        ("light.nothing", "there is no function light.nothing"),
        ("light.sub.f", "there is no module light.sub"),
        ("light._left", "the module holds list there"),
        ("light.borrowed", "light.borrowed is defined in posix, which tasks.allow does not name"),
        ("light.os.system", "there is no module light.os"),
        ("light.Path", "light.Path is defined in pathlib"),
    ],
)
def test_what_is_not_allowed_or_not_there_is_invalid(bench: TaskBench, function: str, words: str) -> None:
    """At the worker, whatever the submitter knew; it is not tried again."""
    told = bench.run(function, "true", retry={"invalid": {"attempts": 5}})

    assert (told["status"], told["failure_class"], len(told["attempts"])) == ("job-failed", "invalid", 1)
    assert words in told["error"]


def test_a_module_that_can_t_be_imported_is_the_environment_s_fault(bench: TaskBench) -> None:
    """Tried again as its budget says."""
    told = bench.run("broken.f", retry={"environment": {"attempts": 1}})

    assert (told["status"], told["failure_class"]) == ("job-failed", "environment")
    assert "no licence" in told["error"]


def test_a_soft_limit_raises_in_the_function(bench: TaskBench, tmp_path: Path) -> None:
    """It may end in order; one that lets the exception through fails as a timeout."""
    os.mkfifo(tmp_path / "pipe")

    assert bench.run("heed", str(tmp_path / "pipe"), soft_time_limit=0.2)["result"] == "SoftTimeLimitExceeded"
    told = bench.run("wait", str(tmp_path / "pipe"), soft_time_limit=0.2)
    assert (told["status"], told["failure_class"]) == ("job-failed", "timeout")
    assert "soft time limit" in told["error"]


def test_a_function_that_knows_celery_s_exception_gets_that_one(bench: TaskBench) -> None:
    """HySDS's functions catch it."""
    assert bench.run("name_of_limit", soft_time_limit=0.2)["result"] == "billiard.exceptions"


@pytest.mark.parametrize("function", ["ignore_all", "block_in_c"])
def test_a_hard_limit_ends_what_hears_nothing(bench: TaskBench, tmp_path: Path, function: str) -> None:
    """Also a call that stays in C code; the process is gone before the end is told."""
    os.mkfifo(tmp_path / "pipe")
    arguments = (str(tmp_path / "pipe"),) if function == "ignore_all" else ()
    told = bench.run(function, *arguments, soft_time_limit=0.1, time_limit=0.4)

    assert (told["status"], told["failure_class"]) == ("job-failed", "timeout")
    assert "hard time limit" in told["error"]
    if arguments:
        assert not tree.is_alive(int((tmp_path / "pipe.pid").read_text()))


@pytest.mark.parametrize("function", ["wait", "swallow_term"])
def test_a_cancel_ends_the_child_of_a_running_task(bench: TaskBench, tmp_path: Path, function: str) -> None:
    """Whether it hears SIGTERM or not; the task is revoked once the process is gone."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    job_id = bench.submit(function, str(pipe))
    with bench.performing(), pipe.open("wb"):  # opened: the function reads
        bench.ledger.cancel([job_id])
        bench.heed()
        _until_gone(pipe)

    assert bench.job(job_id)["status"] == "job-revoked"
    assert bench.job(job_id)["event"]["type"] == "task-revoked"


def test_a_failed_task_is_tried_again_as_its_budget_says(bench: TaskBench) -> None:
    """The same policy as any job's."""
    job_id = bench.submit("fail", retry={"user": {"attempts": 2, "delay": 0}})
    shown: list[str] = []
    while bench.worker.perform("q", shown.append) is not None:
        pass

    told = bench.job(job_id)
    assert (told["status"], [one["failure"] for one in told["attempts"]]) == ("job-failed", ["user", "user"])
    assert shown == [job_id, job_id]


def test_a_child_is_replaced_after_its_share_of_tasks(tmp_path: Path) -> None:
    """So that what a function leaks is given back."""
    bench = make(tmp_path, max_tasks_per_child=2)
    try:
        pids = [bench.run("pid")["result"] for _ in range(5)]
    finally:
        bench.close()

    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]


def test_a_child_that_holds_too_much_is_replaced(tmp_path: Path) -> None:
    """Measured after each task."""
    bench = make(tmp_path, max_memory_per_child_bytes=100_000_000)
    try:
        first = bench.run("pid")["result"]
        bench.run("leak", 150_000_000)
        second = bench.run("pid")["result"]
    finally:
        bench.close()

    assert first != second


def test_nothing_of_a_worker_s_children_is_left_when_it_ends(tmp_path: Path) -> None:
    """No process, and no folder."""
    bench = make(tmp_path)
    pid = bench.run("pid")["result"]
    folder = Path(bench.run("place")["result"][0])
    assert tree.is_alive(pid)
    assert folder.is_dir()
    bench.close()

    assert not tree.is_alive(pid)
    assert not folder.exists()


def _until_gone(pipe: Path) -> None:
    """Until the process that reads from the pipe does not any more."""
    pid = int(Path(f"{pipe}.pid").read_text())
    with contextlib.suppress(ProcessLookupError):
        fd = os.pidfd_open(pid)
        select.select([fd], [], [], 60)
        os.close(fd)
