"""The scripts that people and CI call, run on a checkout whose tools are stand-ins that note their calls."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_ALL_TESTS = f"python -m pytest -n {min(len(os.sched_getaffinity(0)), 4)} --dist loadfile"
_COPIED = ("setup.cfg", "requirements.in", "requirements.txt", "requirements-test.txt")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the real scripts and an up-to-date environment of stand-ins, each of which succeeds."""
    root = tmp_path / "checkout"
    shutil.copytree(_ROOT / "scripts", root / "scripts")
    for name in _COPIED:
        shutil.copy(_ROOT / name, root)
    (root / ".venv" / "bin").mkdir(parents=True)
    for tool in ("python", "ruff", "mypy", "lint-imports", "hysds"):
        stand_in(root, tool, exit_code=0)
    for lock in ("requirements.txt", "requirements-test.txt"):
        stamp = run(root, "bash", "-c", f". scripts/environment.sh; fingerprint {lock}").stdout
        (root / ".venv" / f".installed-{lock}").write_text(stamp)
    (root / "calls").unlink(missing_ok=True)
    return root


def stand_in(root: Path, tool: str, exit_code: int) -> None:
    """Put a program in a tool's place that notes how it was called and ends with this code."""
    file = root / ".venv" / "bin" / tool
    file.write_text(f'#!/bin/sh\necho "{tool} $*" >>{root}/calls\necho "{tool} was here"\nexit {exit_code}\n')
    file.chmod(0o755)


def run(cwd: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as an ordinary user would see it, with nothing but a PATH in its environment.

    `id` says 1000, so that no test installs a package of the system.
    """
    environment = {"PATH": f"{Path(__file__).parent / 'ordinary_user'}:/usr/bin:/bin"}
    return subprocess.run(command, cwd=cwd, env=environment, check=False, capture_output=True, text=True)


def calls(root: Path) -> list[str]:
    """How the tools were called, in order."""
    return (root / "calls").read_text().splitlines()


def test_check_runs_all_and_reports_every_failure(checkout: Path) -> None:
    """A failing tool stops none of those after it, and each that failed is named at the end."""
    stand_in(checkout, "ruff", exit_code=1)
    stand_in(checkout, "mypy", exit_code=2)

    result = run(checkout, "scripts/check")

    assert result.returncode == 1
    assert [call.split()[0] for call in calls(checkout)] == ["ruff", "ruff", "mypy", "lint-imports"]
    assert result.stderr.splitlines() == [
        "failed: ruff format --check .",
        "failed: ruff check --quiet .",
        "failed: mypy",
    ]


def test_test_without_arguments_checks_first(checkout: Path) -> None:
    """All checks come before all tests, which share the cores file by file; the last words are pytest's."""
    result = run(checkout, "scripts/test")

    assert result.returncode == 0
    assert [call.split()[0] for call in calls(checkout)] == ["ruff", "ruff", "mypy", "lint-imports", "python"]
    assert calls(checkout)[-1] == _ALL_TESTS
    assert result.stdout.splitlines()[-1] == "python was here"


@pytest.mark.parametrize(("failing", "code"), [("lint-imports", 1), ("python", 5)])
def test_test_fails_with_whatever_fails(checkout: Path, failing: str, code: int) -> None:
    """Failed checks fail the run although the tests still run; so do failed tests, with pytest's own code."""
    stand_in(checkout, failing, exit_code=code)

    result = run(checkout, "scripts/test")

    assert result.returncode == code
    assert calls(checkout)[-1] == _ALL_TESTS


def test_test_reads_paths_from_where_the_caller_stands(checkout: Path) -> None:
    """Paths and node ids are made absolute, all other arguments are handed to pytest as they are."""
    folder = checkout / "test" / "unit"
    folder.mkdir(parents=True)
    (folder / "test_it.py").touch()

    result = run(folder, "../../scripts/test", "test_it.py::test_a", "-k", "b or c")

    assert result.returncode == 0
    assert calls(checkout) == [f"python -m pytest {folder}/test_it.py::test_a -k b or c"]


def test_bench_hands_its_arguments_on(checkout: Path) -> None:
    """Names and --json reach the benchmarks."""
    run(checkout, "scripts/bench", "no-op", "--json")

    assert calls(checkout) == ["python -m benchmarks no-op --json"]


def test_quickstart_runs_the_first_example(checkout: Path) -> None:
    """From any folder it runs the first example of its own checkout."""
    result = run(checkout.parent, "checkout/scripts/quickstart")

    assert result.returncode == 0
    assert calls(checkout) == ["hysds run examples/01-word-count/job.json"]


def test_an_ordinary_user_is_told_in_one_line_which_package_to_ask_for(checkout: Path) -> None:
    """Without root nothing is tried: one line names the package."""
    result = run(
        checkout, "bash", "-c", ". scripts/environment.sh; debian_install python3-venv; echo went on"
    )

    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == "missing Debian packages; ask for them: apt-get install python3-venv\n"


def test_a_changed_lock_or_declaration_is_noticed(checkout: Path) -> None:
    """An installation is stale when the lock or the declared package changes, not when a tool's setting does."""
    fingerprint = ("bash", "-c", ". scripts/environment.sh; fingerprint requirements.txt")
    before = run(checkout, *fingerprint).stdout
    declared = (checkout / "setup.cfg").read_text()

    (checkout / "setup.cfg").write_text(declared + "\n[mypy-elsewhere]\n")
    after_tool = run(checkout, *fingerprint).stdout
    (checkout / "setup.cfg").write_text(declared.replace("hysds.cli.entry:main", "hysds.cli.other:main"))
    after_declaration = run(checkout, *fingerprint).stdout
    with (checkout / "requirements.txt").open("a") as lock:
        lock.write("# more\n")
    after_lock = run(checkout, *fingerprint).stdout

    assert after_tool == before
    assert len({before, after_declaration, after_lock}) == 3
