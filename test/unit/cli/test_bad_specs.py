"""Specs that no system takes: refused before anything is connected to, in one block that says where and why."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from hysds.cli.main import main

_GOOD: dict[str, Any] = {"job_type": "job:x", "payload": {"_command": "true"}}


@pytest.fixture(autouse=True)
def _no_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home with nothing in it: whoever tried to connect would end as unreachable, not as refused."""
    monkeypatch.setenv("HYSDS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HYSDS_CONFIG", "")


def _file(tmp_path: Path, text: str | bytes) -> str:
    path = tmp_path / "job.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(errors="surrogatepass"))
    return str(path)


_NOT_SPECS = [
    (b"not json", "not JSON"),
    (b"", "not JSON"),
    (b"\xff\xfe\x00", "not JSON"),
    (b"[]", "a job spec is a JSON object, not a list"),
    (b"null", "not null"),
    (b'{"job_type": "a", "job_type": "b", "payload": {"_command": "true"}}', "$.job_type: given twice"),
    (b"[" * 100_000, "nested too deeply"),
    (b'{"job_type": "x", "payload": {"_command": "true", "n": NaN}}', "NaN is no JSON number"),
]

_WRONG_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"job_type": None}, "$.job_type"),
    ({"job_type": 3}, "$.job_type"),
    ({"job_type": ""}, "$.job_type"),
    ({"payload": "true"}, "$.payload"),
    ({"payload": {"_command": "echo 'oh"}}, "$.payload._command: can't be split"),
    ({"payload": {"_command": "a\0b"}}, "$.payload._command: holds a NUL"),
    ({"payload": {"_command": ["true"]}}, "$.payload._command: must be a string"),
    ({"payload": {"_command": "true", "localize_urls": []}}, "$.payload.localize_urls"),
    ({"payload": {"_command": "true", "job_specification": {}}}, "$.payload.job_specification"),
    ({"job_typ": "x"}, "did you mean job_type?"),
    ({"container_image_name": "x"}, "$.container_image_name: unknown field"),
    ({"resources": {"memory": "10 Gib"}}, "$.resources.memory"),
    ({"resources": {"slots": 0}}, "$.resources.slots"),
    ({"resources": {"cpus": -1}}, "$.resources.cpus"),
    ({"resources": {"gpu": 1}}, "$.resources.gpu: unknown field"),
    ({"time_limit": -1}, "$.time_limit"),
    ({"soft_time_limit": "11y"}, "$.soft_time_limit"),
    ({"time_limit": "3661d"}, "$.time_limit"),
    ({"soft_time_limit": "2h", "time_limit": "1h"}, "$.soft_time_limit"),
    ({"priority": 11}, "$.priority"),
    ({"priority": -1}, "$.priority"),
    ({"priority": "high"}, "$.priority"),
    ({"job_name": "a\0b"}, "$.job_name: holds a control character"),
    ({"job_name": "x" * 10_000}, "$.job_name"),
    ({"tag": "x" * 10_000}, "$.tag"),
    ({"job_queue": "a queue"}, "$.job_queue"),
    ({"job_queue": "🚀"}, "$.job_queue"),
    ({"env": {"HYSDS_SUBMIT_DIR": "/etc"}}, "$.env.HYSDS_SUBMIT_DIR: is reserved"),
    ({"env": {"A=B": "c"}}, "is no variable's name"),
    ({"retry": {"usr": {"attempts": 3}}}, "$.retry.usr"),
    ({"retry": {"user": {"attempts": 0}}}, "$.retry.user.attempts"),
    ({"not_before": "tomorrow"}, "$.not_before"),
    (
        {"not_before": "2030-01-02T00:00:00Z", "deadline": "2030-01-01T00:00:00Z"},
        "$.deadline: is not after not_before",
    ),
    ({"payload": {"_command": "true", "big": "x" * 1_000_000}}, "pass large data by file"),
]


@pytest.mark.parametrize("command", ["run", "submit"])
@pytest.mark.parametrize(("text", "complaint"), _NOT_SPECS)
def test_what_is_no_spec_is_refused(
    command: str, text: bytes, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever stands in the file, the answer is a sentence and exit code 2."""
    name = _file(tmp_path, text)
    code, shown = main([command, name]), capsys.readouterr()

    assert (code, shown.out) == (2, "")
    assert complaint in shown.err
    assert f"{name}: $" in shown.err
    assert "Traceback" not in shown.err


@pytest.mark.parametrize(("fields", "complaint"), _WRONG_FIELDS)
def test_a_wrong_field_is_named_with_its_path(
    fields: dict[str, Any], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each complaint says where in the document it is, and the block stays readable whatever was written."""
    code = main(["submit", _file(tmp_path, json.dumps(_GOOD | fields))])
    shown = capsys.readouterr()

    assert (code, shown.out) == (2, "")
    assert complaint in shown.err
    assert all(len(line) < 600 and line.isprintable() for line in shown.err.splitlines())


@pytest.mark.parametrize("missing", ["job_type", "payload"])
def test_a_missing_field_is_named(missing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A job has a type and a payload."""
    fields = {key: value for key, value in _GOOD.items() if key != missing}

    assert main(["submit", _file(tmp_path, json.dumps(fields))]) == 2
    assert f"$.{missing}: is required" in capsys.readouterr().err


def test_all_complaints_about_all_files_come_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Mistakes in several files are mended in one go, and nothing was submitted meanwhile."""
    names = []
    for number, fields in enumerate(({"priority": 11, "tagg": "x"}, {}, {"time_limit": 0})):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(_GOOD | fields))
        names.append(str(path))

    assert main(["submit", *names]) == 2
    complaints = capsys.readouterr().err.splitlines()[1:]
    assert [line.split(": ")[0].strip() for line in complaints] == [names[0], names[0], names[2]]


def test_a_name_may_hold_pictures_and_all_scripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An emoji is no reason to refuse: the next thing that is missing here is the system itself."""
    code = main(["submit", _file(tmp_path, json.dumps(_GOOD | {"job_name": "🚀 größe 数"}))])

    assert code == 4
    assert "ledger" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"n": 1e999}', "the number 1e999 is too large"),
        (f'{{"n": {"7" * 5000}}}', "a number is too long"),
        (json.dumps(_GOOD | {"time_limit": -1}), "$.time_limit: can't be negative, as -1 is"),
        (
            json.dumps(_GOOD | {"time_limit": "5000d"}),
            "$.time_limit: can't be longer than 10 years, not 5000d",
        ),
        (json.dumps(_GOOD | {"tag": "x" * 1_000_000}), "more than 1,000,000 bytes"),
    ],
)
def test_numbers_that_can_not_be_are_named_in_plain_words(
    tmp_path: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """No name of a function of Python's, no seconds where people think in years."""
    assert main(["submit", _file(tmp_path, text)]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert "sys." not in shown


def test_what_is_wrong_and_what_can_not_be_read_are_told_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All is mended in one go."""
    assert main(["submit", _file(tmp_path, "[]"), "no-such-file.json"]) == 2
    shown = capsys.readouterr().err
    assert "job.json: $: a job spec is a JSON object" in shown
    assert "no-such-file.json: can't be read: No such file" in shown


@pytest.mark.parametrize("name", ["no-such-file.json", "/", "a\0b"])
def test_a_file_that_can_not_be_read_is_a_sentence(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Missing, a directory, no name at all."""
    assert main(["submit", name]) == 2
    shown = capsys.readouterr()
    assert "can't be read" in shown.err
    assert "Traceback" not in shown.err


def test_an_endless_file_is_not_read_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    """Only so much of a file is read as shows that it is too large."""
    assert main(["submit", "/dev/zero"]) == 2
    assert "pass large data by file" in capsys.readouterr().err


def test_a_spec_comes_from_stdin_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`-` is stdin, complaints say so, and it can't be read twice."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"job_type": "x"}')))

    assert main(["submit", "-"]) == 2
    assert "stdin: $.payload: is required" in capsys.readouterr().err
    assert main(["submit", "-", "-"]) == 2
    assert "give - once" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["status"], ["logs"], ["cancel"]])
def test_what_is_no_id_is_refused(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Ids are checked against their grammar at this door too."""
    assert main([*command, "../../etc/passwd"]) == 2
    assert "is no job id" in capsys.readouterr().err


def test_a_wrong_setting_is_named_with_its_source(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A setting that somebody believes to be in force stops the command."""
    monkeypatch.setenv("HYSDS_WORKER_SLOTS", "many")
    monkeypatch.setenv("HYSDS_LEGER_URL", "redis://here")

    assert main(["config", "show"]) == 2
    shown = capsys.readouterr().err
    assert "HYSDS_WORKER_SLOTS" in shown
    assert "HYSDS_LEGER_URL" in shown
    assert "did you mean HYSDS_LEDGER_URL?" in shown


@pytest.mark.parametrize(("script", "note"), [("cat a | sort", True), ("sh -c 'cat a | sort'", False)])
def test_a_command_line_for_a_shell_is_noted_and_not_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], script: str, note: bool
) -> None:
    """The job would complete, having printed what should have been carried out; it is submitted all the same."""
    spec = {**_GOOD, "payload": {"_command": script}}

    assert main(["submit", _file(tmp_path, json.dumps(spec))]) == 4
    said = capsys.readouterr().err
    assert ("note: no shell runs _command, so its program gets | as it stands" in said) is note
