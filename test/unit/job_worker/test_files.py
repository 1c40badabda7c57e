"""The files of a work directory."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from hysds.job_worker import files
from hysds.leasing import workdir
from hysds.ports.engines import Workload


def workload(cwd: Path, *argv: str, **env: str) -> Workload:
    return Workload("id.f1", argv, cwd, env, cwd / "o", cwd / "e", None, 1.0, None)


def test_the_directory_lies_where_hysds_has_it_and_belongs_to_one_attempt(tmp_path: Path) -> None:
    """The job's own path is a link that the latest attempt swings to itself."""
    first = workdir.locate(tmp_path, "job", 7, 1_700_000_000_000)
    second = workdir.locate(tmp_path, "job", 8, 1_700_000_000_000)

    workdir.create(first)
    workdir.create(second)

    assert first.path == tmp_path / "jobs/2023/11/14/22/13/job.f7"
    assert first.link == second.link == tmp_path / "jobs/2023/11/14/22/13/job"
    assert second.link.resolve() == second.path
    with pytest.raises(FileExistsError):
        workdir.create(second)


def test_the_script_runs_the_command_again_with_this_environment_alone(tmp_path: Path) -> None:
    """The original joined arguments without quotes and wrote the worker's secrets as comments (W-30)."""
    odd = "two words; $HOME 'quote' \n line"
    text = files.script(workload(tmp_path, "/usr/bin/env", "-0", "--", f"A={odd}", PATH="/bin", B="b c"))
    script = tmp_path / "_run.sh"
    files.put(script, text.encode(), mode=0o755)

    ran = subprocess.run([script], env={"SECRET": "s", "PATH": "/usr/bin"}, capture_output=True, check=True)

    found = dict(entry.split("=", 1) for entry in ran.stdout.decode().split("\0") if entry)
    assert {key: found[key] for key in ("A", "B", "PATH")} == {"A": odd, "B": "b c", "PATH": "/bin"}
    assert "SECRET" not in found


def test_what_the_job_put_in_a_files_place_is_replaced_not_followed(tmp_path: Path) -> None:
    """A link to somebody's file, or a directory, where our mark belongs."""
    target = tmp_path / "precious"
    target.write_text("kept")
    link, folder = tmp_path / "_exit_code", tmp_path / ".done"
    link.symlink_to(target)
    (folder / "x").mkdir(parents=True)

    files.put(link, b"0\n")
    files.put(folder, b"now\n")

    assert (target.read_text(), link.is_symlink(), link.read_text(), folder.read_text()) == (
        "kept",
        False,
        "0\n",
        "now\n",
    )


def test_the_end_is_marked_with_the_exit_code(tmp_path: Path) -> None:
    """`.running` becomes `.done`; a command that never ran has no exit code."""
    place = workdir.locate(tmp_path, "job", 7, 0)
    workdir.create(place)
    files.write_before(place, {"a": 1}, {"b": 2}, workload(place.path, "true"))
    assert place.running.exists()
    assert stat.S_IMODE(place.run_script.stat().st_mode) & 0o111

    files.write_after(place, -9)

    assert (place.exit_code.read_text(), place.running.exists(), place.done.exists()) == ("-9\n", False, True)
