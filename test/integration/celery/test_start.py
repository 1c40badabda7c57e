"""How a worker may be started, and what is refused with the right command."""

from __future__ import annotations

import subprocess
import sys

import pytest

REFUSED = {
    "a pool of one": (["-P", "solo"], "-P threads"),
    "slots that change": (["--autoscale", "4,1"], "--autoscale"),
    "a time limit": (["--time-limit", "60"], "--time-limit"),
    "a beat": (["-B"], "-B"),
    "another prefetch": (["--", "worker.prefetch_multiplier=8"], "worker_prefetch_multiplier"),
}


@pytest.mark.parametrize("options", REFUSED.values(), ids=REFUSED.keys())
def test_an_option_that_would_change_the_worker_is_refused_with_the_right_command(
    stages, valkey_server, options
) -> None:
    """The worker does not start; it says what is wrong, and how this very worker is started."""
    arguments, named = options
    stage = stages(valkey_server.url)
    worker = stage.launch("one", "-Q", "gpu", "-c", "3", *arguments)

    assert worker.wait() == 1
    assert named in worker.log
    assert "the right command: celery -A hysds worker -Q gpu" in worker.log
    assert "-n one@here" in worker.log
    assert stage.director.events == []


def test_a_queue_that_can_hold_no_jobs_is_refused(stages, valkey_server) -> None:
    """No job is ever routed to a queue of such a name, so a worker of it would wait for ever."""
    worker = stages(valkey_server.url).launch("one", "-Q", "gpu,b*d")

    assert worker.wait() == 1
    assert "no queue of jobs: -Q: " in worker.log
    assert "b*d" in worker.log
    assert "the right command: celery -A hysds worker -Q gpu -c" in worker.log


def test_another_broker_than_the_settings_name_is_refused(stages, valkey_server) -> None:
    """Celery's own variable would split the worker from those who ring for it; its password is not shown."""
    stage = stages(valkey_server.url)
    worker = stage.launch("one", "-Q", "gpu", CELERY_BROKER_URL="redis://:s3cret@127.0.0.1:1/0")

    assert worker.wait() == 1
    assert "broker_url is not what the settings say" in worker.log
    assert "s3cret" not in worker.log


def test_prefork_on_the_command_line_starts_threads_all_the_same(stage) -> None:
    """Celery takes `-P prefork` for its default where a pool is configured: the worker that starts is the right one."""
    worker = stage.worker("one", "-P", "prefork")

    assert "(thread)" in worker.log


def test_celery_finds_the_app_by_the_packages_name_and_importing_it_reads_nothing() -> None:
    """`-A hysds` is enough; the app is not configured before something asks it."""
    code = (
        "from celery.app.utils import find_app; app = find_app('hysds');"
        "print(app.main, app.configured, app.conf.worker_pool, app.conf.task_acks_late)"
    )
    environment = {"HYSDS_HOME": "/nonexistent", "PATH": "/usr/bin"}
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )

    assert answer.stdout.split() == ["hysds", "False", "threads", "False"]
