"""What a chaos job leaves, read back as it was written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hysds.chaos import effects, workload
from hysds.chaos.history import Mark

JOB = "01930f5e-7b1c-7000-8000-000000000001"


def attempt(directory: Path, kind: str, fence: int, steps: int = 2) -> int:
    """The exit code of a real attempt."""
    words = [sys.executable, "-I", "-S", workload.__file__, str(directory), kind, str(steps), "0"]
    return subprocess.run(
        words, check=False, env={"HYSDS_JOB_ID": JOB, "HYSDS_JOB_FENCE": str(fence)}
    ).returncode


def marks(directory: Path, fence: int) -> list[tuple[Mark, int]]:
    return [(effect.mark, effect.number) for effect in effects.read(directory) if effect.fence == fence]


def test_a_plain_attempt_leaves_its_beginning_its_steps_and_its_end_in_order(tmp_path: Path) -> None:
    """Under its fence, each later than the one before on the clock that nobody can set."""
    assert not effects.begun(tmp_path, JOB)

    assert attempt(tmp_path, "plain", 5) == 0

    assert marks(tmp_path, 5) == [(Mark.BEGIN, 0), (Mark.STEP, 1), (Mark.STEP, 2), (Mark.END, 0)]
    read = list(effects.read(tmp_path))
    assert [effect.boot_us for effect in read] == sorted(effect.boot_us for effect in read)
    assert {effect.id for effect in read} == {JOB}
    assert effects.begun(tmp_path, JOB)


def test_a_job_that_retries_fails_once_whatever_became_of_that_attempt(tmp_path: Path) -> None:
    """It looks at what it left before."""
    assert attempt(tmp_path, "retries", 5) == workload.AGAIN
    assert attempt(tmp_path, "retries", 6) == 0

    assert marks(tmp_path, 5) == [(Mark.BEGIN, 0), (Mark.STEP, 1), (Mark.FAIL, 0)]
    assert marks(tmp_path, 6)[-1] == (Mark.END, 0)


def test_a_job_that_fails_always_does(tmp_path: Path) -> None:
    """After its first step."""
    assert [attempt(tmp_path, "fails", fence) for fence in (5, 6)] == [1, 1]


@pytest.mark.parametrize(
    "line", ["", "one two", f"{JOB} 5 begin 0 1 2", "other 5 begin 0 1 2 3\n", f"{JOB} 5 x 0 1 2 3\n"]
)
def test_a_line_that_no_workload_wrote_is_refused(tmp_path: Path, line: str) -> None:
    """Half a line, another job's, a mark that nobody knows."""
    (tmp_path / JOB).write_text(line)

    if line:
        with pytest.raises(ValueError, match=r"no effect of its job|'x'"):
            list(effects.read(tmp_path))
    else:
        assert list(effects.read(tmp_path)) == []
