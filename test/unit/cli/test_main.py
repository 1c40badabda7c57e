"""The command as a whole: what it loads, how it lists its commands, how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

import hysds
from hysds.cli.main import COMMANDS, main, make_group

_HEAVY = {"celery", "kombu", "pydantic", "redis", "rich", "sqlite3"}


def _every_command() -> list[tuple[str, click.Command]]:
    found: list[tuple[str, click.Command]] = []
    for name, entry in COMMANDS.items():
        command: click.Command = import_module(entry.module).command
        found.append((name, command))
        if isinstance(command, click.Group):
            found += [(f"{name} {below}", one) for below, one in command.commands.items()]
    return found


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["no-such-command"]])
def test_the_help_of_the_whole_loads_no_client(arguments: list[str]) -> None:
    """Help, version and a wrong name cost click alone: no client of a server, no checker, no drawing of tables."""
    code = (
        "import json, sys\nfrom hysds.cli.main import main\n"
        f"main({arguments!r})\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(run.stderr.splitlines()[-1]))

    assert "click" in loaded
    assert not loaded & _HEAVY


def test_the_help_shows_every_command_with_its_own_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """The table of commands, which is shown without loading them, says what each command says of itself."""
    assert main(["--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())

    for name, entry in COMMANDS.items():
        command: click.Command = import_module(entry.module).command
        assert command.name == name
        assert command.short_help == entry.sentence
        assert f"{name} {entry.sentence}" in shown


def test_every_option_is_documented_and_every_command_shows_an_example() -> None:
    """Nobody has to guess: each option says what it does, each command how it is used."""
    for name, command in _every_command():
        assert re.search(rf"(?m)^ +(.* )?hysds {name}", command.help or ""), name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.opts}"


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` tells which HySDS this is."""
    assert main(["--version"]) == 0

    assert hysds.__version__ in capsys.readouterr().out


def test_a_misspelt_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong name is a usage error that helps."""
    assert main(["sumbit", "job.json"]) == 2

    assert "did you mean submit?" in capsys.readouterr().err


def test_no_arguments_show_the_help_and_count_as_a_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    """The bare command teaches, on stderr."""
    assert main([]) == 2

    assert "hysds run job.json" in capsys.readouterr().err


def test_a_wrong_option_is_refused_in_one_block(capsys: pytest.CaptureFixture[str]) -> None:
    """A usage error says what is wrong and where the help is, without a traceback."""
    assert main(["jobs", "--limit", "-1"]) == 2
    shown = capsys.readouterr()

    assert shown.out == ""
    assert "--limit" in shown.err
    assert "hysds jobs --help" in shown.err
    assert "Traceback" not in shown.err


def test_python_m_hysds_is_the_command() -> None:
    """The package can be run as a module."""
    run = subprocess.run(
        [sys.executable, "-m", "hysds", "--version"], capture_output=True, text=True, check=True
    )

    assert hysds.__version__ in run.stdout


def test_a_reader_that_leaves_is_no_error(tmp_path: os.PathLike[str]) -> None:
    """Output into a closed pipe ends the command quietly, as a signal would."""
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        run = subprocess.run(
            [sys.executable, "-m", "hysds", "config", "show"],
            stdout=theirs,
            stderr=subprocess.PIPE,
            env={**os.environ, "HYSDS_HOME": os.fspath(tmp_path), "HYSDS_CONFIG": ""},
            text=True,
            check=False,
        )
    finally:
        os.close(theirs)

    assert run.stderr == ""
    assert run.returncode == 141


@pytest.mark.parametrize(
    ("line", "code"),
    [("--help", 141), ("config show", 141), ("no-such-command", 2), ("jobs --limit 0", 0), ("workers", 4)],
)
def test_a_closed_stdout_is_a_reader_that_left(line: str, code: int, tmp_path: Path) -> None:
    """What has something to print ends as at a broken pipe; what has not, ends as ever; no traceback is shown."""
    run = _closed(f"{line} >&-", tmp_path)

    assert run.returncode == code, run.stderr
    assert "Traceback" not in run.stderr
    assert "NoneType" not in run.stderr


@pytest.mark.parametrize(("line", "code"), [("--help", 0), ("no-such-command", 2), ("jobs", 0), ("run -", 2)])
def test_a_closed_stderr_swallows_what_it_is_told(line: str, code: int, tmp_path: Path) -> None:
    """Notes and errors are nobody's; stdout and the exit code are as ever."""
    assert _closed(f"{line} 2>&- <&-", tmp_path).returncode == code


def test_nothing_that_is_opened_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    """The kernel gives the lowest free number: a job's database would get what is printed."""
    code = (
        "import os, sys\nfrom hysds.cli.main import main\nmain(['jobs'])\n"
        "assert os.open(os.devnull, os.O_RDONLY) > 2"
    )
    run = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', sys.executable, code],
        env={**os.environ, "HYSDS_HOME": str(tmp_path), "HYSDS_CONFIG": ""},
        check=False,
    )

    assert run.returncode == 0


def _closed(line: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", f'exec "$0" -m hysds {line}', sys.executable],
        env={**os.environ, "HYSDS_HOME": str(home), "HYSDS_CONFIG": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_command_is_made_anew_for_each_call() -> None:
    """No state is left in the group between two calls of one process."""
    assert make_group() is not make_group()
