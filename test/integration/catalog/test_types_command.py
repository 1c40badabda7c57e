"""`hysds types` and `hysds config reload` against a real ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hysds.cli.main import main
from services.redis import RedisServer

_ORCHESTRATOR = {
    "configs": [
        {
            "job_type": "job:count",
            "job_creators": [
                {
                    "job_name": "count",
                    "function": "creators.count.make",
                    "job_queues": ["cpu"],
                    "time_limit": 60,
                }
            ],
            "queues": ["gpu"],
            "soft_time_limit": "1h",
            "ceilings": {"memory": "2GB", "time_limit": "2h"},
            "retry": {"gpu": {"attempts": 3}},
            "dedup": {"window": "1d", "ignore": ["log"]},
            "max_running": 3,
            "rate": "10/m",
        }
    ]
}
_WORKER = {
    "configs": [
        {
            "type": "count",
            "command": {"path": "/usr/bin/wc", "options": ["-w"], "arguments": ["$file", "a b"]},
            "disk_usage": "1MB",
        },
        {
            "type": "boxed",
            "command": {"path": "/bin/x", "arguments": []},
            "container_image_name": "x:v1",
            "container_image_url": "s3://x",
        },
        {"type": "free"},
    ]
}


@pytest.fixture(autouse=True)
def files(
    tmp_path: Path, valkey_server: RedisServer, unique_name: str, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A directory of files that the settings of this process name, and a ledger of its own."""
    folder = tmp_path / "types"
    folder.mkdir()
    (folder / "orchestrator_jobs.json").write_text(json.dumps(_ORCHESTRATOR))
    (folder / "job_worker.json").write_text(json.dumps(_WORKER))
    monkeypatch.setenv("HYSDS_HOME", str(tmp_path))
    monkeypatch.setenv("HYSDS_CONFIG", "")
    monkeypatch.setenv("HYSDS_LEDGER_URL", valkey_server.unix_url)
    monkeypatch.setenv("HYSDS_LEDGER_PREFIX", unique_name)
    monkeypatch.setenv("HYSDS_CATALOG_PATHS", str(folder))
    return folder


def put(path: Path, document: Any) -> None:
    """Write a JSON file."""
    path.write_text(json.dumps(document))


def test_all_types_are_listed_and_each_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """What it runs, takes and may; with an example that is a spec."""
    assert main(["types"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [
        ["boxed", "no"],
        ["free", "yes"],
        ["job:count", "yes"],
    ]

    assert main(["types", "count"]) == 0
    out = capsys.readouterr().out
    for text in (
        "/usr/bin/wc -w $file 'a b'",
        "parameter   file",
        "count: creators.count.make into cpu (time_limit 1m)",
        "soft_time_limit 1h",
        "time_limit 2h, memory 2 GB",
        "disk 1 MB",
        "for 1d without log",
        "3 running, 10/m (burst 1)",
        "job_worker.json: $.configs[0]",
    ):
        assert text in out
    assert json.loads(out.partition("for example\n")[2]) == {
        "job_type": "job:count",
        "payload": {"file": "<file>"},
    }


def test_a_type_says_why_it_can_t_be_submitted_and_a_submission_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same reason, for people and for machines."""
    reason = "needs the container image x:v1, and containers can't be run yet"
    spec = tmp_path / "spec.json"
    put(spec, {"job_type": "boxed", "payload": {}})

    assert main(["types", "boxed"]) == 0
    assert reason in capsys.readouterr().out
    assert main(["types", "boxed", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["can_be_submitted"], told["refusals"], told["image"]["url"]) == (False, [reason], "s3://x")
    assert main(["submit", str(spec)]) == 2
    assert f"{spec}: $.job_type: boxed: {reason}" in capsys.readouterr().err


def test_the_policies_of_a_type_and_its_queues_are_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With where each is set."""
    monkeypatch.setenv("HYSDS_QUEUES", '{"cpu": {"max_running": 7}, "other": {"max_running": 8}}')
    monkeypatch.setenv("HYSDS_TYPES", '{"job:c*": {"rate": "1/s"}}')

    assert main(["types", "job:count"]) == 0

    out = capsys.readouterr().out
    assert '{"max_running": 7} (environment HYSDS_QUEUES.cpu)' in out
    assert '{"rate": "1/s"} (environment HYSDS_TYPES.job:c*)' in out
    assert "other" not in out


def test_a_spec_of_a_type_with_a_command_needs_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its document shows what will run; a parameter that is missing or no argument is named with its file."""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    put(tmp_path / "types" / "orchestrator_jobs.json", {"configs": [{"job_type": "job:count"}]})
    put(good, {"job_type": "job:count", "payload": {"file": "book.txt"}})
    put(bad, {"job_type": "job:count", "payload": {"file": {"a": 1}}})

    assert main(["submit", str(good)]) == 0
    [id_] = capsys.readouterr().out.split()
    assert main(["status", id_, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["job"]["params"]["_command"] == "/usr/bin/wc -w book.txt 'a b'"
    assert document["job"]["resources"] == {"disk": 10**6}

    assert main(["submit", str(good), str(bad)]) == 2
    assert f"{bad}: $.payload.file: must be a text" in capsys.readouterr().err


def test_a_name_that_is_almost_a_type_is_told_the_type(capsys: pytest.CaptureFixture[str]) -> None:
    """And a list without any type says how to get some."""
    assert main(["types", "job:cuont"]) == 2
    assert "did you mean job:count?" in capsys.readouterr().err


def test_a_reload_publishes_the_set_or_nothing(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run says what it would be; a half-written file changes nothing, with file and place."""
    assert main(["config", "reload"]) == 0
    capsys.readouterr()
    put(files / "more.json", {"configs": [{"job_type": "job:new"}]})
    put(files / "job_worker.json", {"configs": [_WORKER["configs"][0]], "webdav_port": 8085})

    assert main(["config", "reload", "--dry-run"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "2 in force; added: job:new; removed: boxed, free\n"
    assert "webdav_port: is not read" in shown.err
    assert main(["types", "job:new"]) == 2
    capsys.readouterr()

    (files / "half.json").write_text('{"configs": [{"job_ty')
    assert main(["config", "reload"]) == 2
    assert f"{files}/half.json: $: not JSON" in capsys.readouterr().err
    assert main(["types", "boxed"]) == 0
    capsys.readouterr()

    (files / "half.json").unlink()
    assert main(["config", "reload", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["types"], told["added"], told["removed"]) == (2, ["job:new"], ["boxed", "free"])


def test_without_files_there_is_nothing_to_reload(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says how to name some, and so does an empty list."""
    monkeypatch.delenv("HYSDS_CATALOG_PATHS")

    assert main(["config", "reload"]) == 2
    assert "HYSDS_CATALOG_PATHS" in capsys.readouterr().err
    assert main(["types"]) == 0
    assert "no job type is registered" in capsys.readouterr().err


def test_a_creator_that_is_not_allowed_here_is_noted_and_published(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever submits may allow it; an operator who forgot to finds out before anybody submits."""
    assert main(["config", "reload"]) == 0
    noted = capsys.readouterr()
    monkeypatch.setenv("HYSDS_CREATORS_PREFIXES", "creators")
    assert main(["config", "reload"]) == 0
    allowed = capsys.readouterr()

    assert "creator creators.count.make is not allowed: the setting creators.prefixes allows" in noted.err
    assert "added: boxed, free, job:count" in noted.out
    assert "creators.count.make" not in allowed.err
