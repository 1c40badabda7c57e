"""Every example that any `--help` prints, run as it stands in a system that runs.

What an example takes for granted is made first: `$id` and the example id are a job that fits the command, `job.json`
and `generate` are there, the files that it writes go to a home of the test's own. Whatever runs until it is told to end
is told to, once it is ready. An example that no rule here knows how to prepare is run as it is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from hysds.cli.main import COMMANDS, make_group
from hysds.core.query import JobQuery
from hysds.orchestrator import job_repository
from services.process import own_directory
from services.required import program

_ROOT = Path(__file__).parents[2]
_EXAMPLE_ID = "01930f5e-7b1c-7000-8000-0123456789ab"
_LINE = re.compile(r" {6,}((?:[A-Z_]+=\S+ )?(?:\S.* \| )?(?:\w+=\$\()?hysds .*?)(?:   +\S.*)?")
_ROLES = re.compile(
    r"(?:\w+=\S+ )?hysds (worker (?:job|task|orchestrator)|indexer|reconciler|up(?! --detach))\b"
)
_PATIENCE_S = 120

_MAY_END = {"hysds doctor": (0, 1), "hysds alarms test": (2,)}
"""Where another code than 0 is an answer too: of a machine with something to be mended, or where nobody is to be told
of alarms."""


def _commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for below in command.list_commands(click.Context(command)):
            found = command.get_command(click.Context(command), below)
            assert found is not None
            yield from _commands(f"{name} {below}", found)


def _indented(name: str, command: click.Command) -> list[str]:
    """The lines of a help that stand apart from its sentences."""
    text = command.get_help(click.Context(command, info_name=name))
    described = text.partition("\nOptions:")[0].partition("\nCommands:")[0]
    return [line for line in described.splitlines() if line.startswith(" " * 6)]


def _examples(name: str, command: click.Command) -> list[str]:
    """The commands of ours among them, without what explains them."""
    return [match[1] for line in _indented(name, command) if (match := _LINE.fullmatch(line))]


_ALL = {name: _examples(name, command) for name, command in _commands("hysds", make_group())}


class Shell:
    """A shell in a directory of its own, beside a system that runs."""

    def __init__(self, standing: Any, directory: Path) -> None:
        self._standing = standing
        self._client = standing.client()
        self.directory = directory
        self.home = directory / "own"
        (directory / "job.json").write_text(json.dumps(_spec("true")))
        (directory / "examples").symlink_to(_ROOT / "examples")
        (directory / "repository").symlink_to(_ROOT / "test" / "job_files")
        self._client.add_types(job_repository.read(directory / "repository", "v1").types)
        (directory / "tile.json").write_text(json.dumps(_spec("true", job_queue="nobody")))
        (directory / "registered").mkdir()
        generate = directory / "generate"
        generate.write_text(f"#!/bin/sh\necho '{json.dumps(_spec('true', tag='generated'))}'\n")
        generate.chmod(0o755)
        for path in (".local/share/bash-completion/completions", ".zfunc", ".config/fish/completions"):
            (directory / path).mkdir(parents=True)

    def close(self) -> None:
        """Whatever an example left running ends."""
        self._client.close()
        self.run("hysds down --now")

    def environment(self, line: str) -> dict[str, str]:
        """That of the system that runs; `up` and `down` bring one of their own."""
        found = dict(self._standing.environment)
        found |= {
            "HYSDS_CATALOG_PATHS": str(self.directory / "registered"),
            "HOME": str(self.directory),
            "PATH": f"{self.directory}:{found['PATH']}",
        }
        if re.search(r"hysds (up|down)\b", line):
            found |= {"HYSDS_HOME": str(self.home)}
            found.pop("HYSDS_LEDGER_URL")
        return found

    def run(self, line: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
        """One line, whose whole pipeline has to succeed."""
        return subprocess.run(
            ["bash", "-c", f"set -o pipefail; {line}"],
            cwd=self.directory,
            env=self.environment(line) | variables,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )

    def run_role(self, line: str) -> tuple[int, bytes]:
        """What runs until it is told to end: once it says that it is ready, it is told."""
        ours, theirs = os.pipe()
        role = subprocess.Popen(
            ["bash", "-c", f"exec env {line}"],
            cwd=self.directory,
            env=self.environment(line) | {"HYSDS_READY_FD": str(theirs)},
            pass_fds=(theirs,),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        os.close(theirs)
        assert role.stdout is not None
        said = b""
        with os.fdopen(ours, "rb") as pipe:
            if line.startswith("hysds up"):  # for people: it says so where they look
                while b"a system runs under" not in said and (data := os.read(role.stdout.fileno(), 4096)):
                    said += data
            else:
                said += pipe.read()
        role.send_signal(signal.SIGTERM)
        said += role.communicate(timeout=_PATIENCE_S)[0]
        return role.returncode, said

    def job(self, **fields: Any) -> str:
        """A new job's id."""
        spec = _spec(fields.pop("command", "true"), enable_dedup=False, **fields)
        return str(self._client.submit(spec).id)

    def ended(self, **fields: Any) -> str:
        """The id of one that has ended."""
        job_id = self.job(**fields)
        self._client.wait(job_id, _PATIENCE_S)
        return job_id

    def schedule(self, stands: bool) -> None:
        """Have a schedule of the examples' name, or none."""
        for found in self._client.schedules.all():
            self._client.schedules.remove(found.name)
        if stands:
            self._client.schedule("nightly", "@yearly", _spec("true"))

    def rule(self, stands: bool) -> None:
        """Have a rule of the examples' name, or none."""
        self._client.rules.remove_all()
        if stands:
            self._client.rules.add({"name": "report", "when": {"match_none": {}}, "then": "action:retry"})

    def await_written(self, job_id: str) -> None:
        """Until the store holds the last document of a job that has ended, and the ledger knows that."""
        end = time.monotonic() + _PATIENCE_S
        while not self._client._system.ledger.kept([job_id])[0].record.confirmed:
            assert time.monotonic() < end, job_id

    def types(self, name: str) -> None:
        """Have this type registered by files, and no other."""
        config = {"type": name, "command": {"path": "true"}}
        (self.directory / "registered" / "job_worker.json").write_text(json.dumps({"configs": [config]}))
        assert self.run("hysds config reload").returncode == 0

    def await_indexed(self, status: str) -> None:
        """Until the store knows one of the tag `trial` in this status."""
        query = JobQuery(tag=frozenset({"trial"}), status=frozenset({status}), limit=0)
        end = time.monotonic() + _PATIENCE_S
        while self._client.jobs(query).total == 0:
            assert time.monotonic() < end, status


def _spec(command: str, **fields: Any) -> dict[str, Any]:
    return {"job_type": "job:x", "job_queue": "default", "payload": {"_command": command}, **fields}


@pytest.fixture(scope="module")
def shell(standing: Any) -> Iterator[Shell]:
    """One for all examples: some write what later ones read."""
    program("jq", "jq")
    # The queues of the examples, which take their names from the types of their jobs.
    standing.start_ready("worker", "job", "--queues", "hello,word-count", "--slots", "1", "--name", "w2")
    directory = own_directory("help")
    found = Shell(standing, directory)
    try:
        yield found
    finally:
        found.close()
        shutil.rmtree(directory, ignore_errors=True)


def _prepared(shell: Shell, name: str, line: str) -> str:
    """The id of a job that fits the example; "" where it needs none."""
    if name in ("hysds cancel", "hysds requeue", "hysds priority"):
        job_id = shell.job(job_queue="nobody", tag="trial")
        shell.await_indexed("job-queued")
        return job_id
    if name == "hysds retry":
        job_id = shell.ended(command="false", tag="trial")
        shell.await_indexed("job-failed")
        return job_id
    if name == "hysds purge":
        job_id = shell.ended(tag="trial")
        shell.await_written(job_id)
        return job_id
    if name in ("hysds types", "hysds types show"):
        shell.types("job:word-count")
    if name.startswith("hysds config"):
        shell.types("job:other")
    if "job:grid" in line:
        shell.types("job:grid")
    if name.startswith("hysds schedule"):
        shell.schedule(stands=" schedule add " not in line)
    if name.startswith("hysds rules"):
        shell.types("job:word-count")
        shell.rule(stands=" rules add " not in line)
    if line == "hysds down" or line.startswith("hysds down "):
        assert shell.run("hysds up --detach").returncode == 0
    needs_id = _EXAMPLE_ID in line or "$id" in line or line.endswith(" ID")
    return shell.ended() if needs_id else ""


def test_every_command_has_an_example() -> None:
    """Nobody has to guess how it is called."""
    assert [name for name, examples in _ALL.items() if not examples] == []
    assert {name.split()[1] for name in _ALL if name != "hysds"} == set(COMMANDS)


def test_no_line_that_looks_like_an_example_is_left_out() -> None:
    """Whatever stands apart in a help is run by the next test."""
    for name, command in _commands("hysds", make_group()):
        assert len(_indented(name, command)) == len(_ALL[name]), name


@pytest.mark.parametrize("name", _ALL)
def test_every_example_of_a_help_works_as_it_stands(shell: Shell, name: str) -> None:
    """Typed into a shell it ends with 0, and without a traceback."""
    try:
        for line in _ALL[name]:
            job_id = _prepared(shell, name, line)
            text = re.sub(r" ID$", f" {job_id}", line.replace(_EXAMPLE_ID, job_id))
            if _ROLES.match(text):
                code, said = shell.run_role(text)
            else:
                done = shell.run(text, id=job_id)
                code, said = done.returncode, done.stdout + done.stderr
            assert code in _MAY_END.get(name, (0,)), f"{line}: {said.decode()}"
            assert b"Traceback" not in said, line
    finally:
        if "drain" in name or name == "hysds worker":
            shell.run("hysds worker resume w1")
        if name == "hysds up":
            shell.run("hysds down --now")
        if name.startswith("hysds types"):
            shell.types("job:other")  # others submit word counts as they are
