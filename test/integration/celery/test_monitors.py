"""What an operator's own tools show of running jobs."""

from __future__ import annotations


def test_inspect_active_names_the_running_jobs_and_no_others(stage, until) -> None:
    """A real `celery inspect active`: two jobs, one by a bell and one by a local request, then none."""
    stage.worker("one")
    stage.director.offer("a")
    stage.bell.ring(stage.queue, 1)
    stage.director.wait("one", "running", "a")
    stage.director.offer("b")
    stage.director.order("one", "call", stage.queue, 1)
    stage.director.wait("one", "running", "b")

    assert stage.active("one") == ["a", "b"]

    for job in "ab":
        stage.director.end(job)
        stage.director.wait("one", "ended", job)
    until(lambda: stage.active("one") == [], lambda: "a job that has ended stays active")


def test_flower_names_the_running_jobs_and_then_none(stage) -> None:
    """A real Flower: of many bells only the two that claimed a job are tasks, each with the job's id as argument."""
    stage.worker("one")
    flower = stage.flower("one")
    stage.bell.ring(stage.queue, 20)
    stage.director.wait("one", "heard", stage.queue, times=20)
    stage.director.offer("a", "b")
    stage.bell.ring(stage.queue, 1)
    stage.director.order("one", "call", stage.queue, 1)
    stage.director.wait("one", "running", "a")
    stage.director.wait("one", "running", "b")

    # `received` and `started` are two events: Flower may be asked between them.
    running = flower.tasks_until(lambda tasks: [task["state"] for task in tasks] == ["STARTED"] * 2)
    assert sorted(task["args"] for task in running) == ["('a',)", "('b',)"]
    assert {task["name"] for task in running} == {"hysds.job_worker.run_job"}

    stage.director.end("a")
    stage.director.end("b", "crash")
    ended = flower.tasks_until(lambda tasks: not [task for task in tasks if task["state"] == "STARTED"])
    assert sorted((task["args"], task["state"]) for task in ended) == [
        ("('a',)", "SUCCESS"),
        ("('b',)", "FAILURE"),
    ]
