"""Each folder of `examples/`, exactly as its README says: its commands in a shell, its tables against the files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

_EXAMPLES = Path(__file__).parents[2] / "examples"


def _commands(readme: str) -> list[str]:
    """The lines of its blocks of shell."""
    return [
        line
        for block in re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)
        for line in block.splitlines()
        if line.strip()
    ]


def _tables(readme: str) -> list[list[list[str]]]:
    """The rows of each of its tables, without the line under the head."""
    tables = re.findall(r"(?:^\|.*\n)+", readme, re.MULTILINE)
    return [
        [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in table.splitlines()
            if "---" not in line
        ]
        for table in tables
    ]


def _rows(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text().splitlines()]


def _last_line(output: bytes) -> str:
    return output.decode().splitlines()[-1]


def test_every_example_has_a_readme_with_commands() -> None:
    """A folder without instructions would be tested by nobody."""
    folders = [folder for folder in _EXAMPLES.iterdir() if folder.is_dir()]

    assert {folder.name for folder in folders} == {"01-word-count", "02-dedup-and-retry", "03-job-types"}
    assert all(_commands((folder / "README.md").read_text()) for folder in folders)


def test_the_word_count_finds_the_published_numbers(command_line: Any) -> None:
    """Example 01: its command completes, leaves nothing running, and the result files hold what the README says."""
    readme = (_EXAMPLES / "01-word-count" / "README.md").read_text()
    (command,) = _commands(readme)
    run = command_line.shell(command)

    assert run.returncode == 0, run.stderr.decode()
    assert re.fullmatch(r"[0-9a-f-]{36} job-completed", _last_line(run.stdout))
    assert b"all texts: 13705 words\n" in run.stdout
    told = dict(line.split(None, 1) for line in run.stderr.decode().splitlines() if " " in line)
    files = Path(told["files"])
    counts, common = _tables(readme)
    assert counts == _rows(files / "word_count.tsv")
    assert common == _rows(files / "common_words.tsv")
    assert re.search(r"queued .*, prepare .*, execute .*, finish ", told["phases"])
    assert command_line.left_running() == []


def test_the_second_run_of_the_word_count_is_a_duplicate(command_line: Any) -> None:
    """Example 01 again: nothing is counted, and the job that stands for it is shown with its output and its end."""
    (command,) = _commands((_EXAMPLES / "01-word-count" / "README.md").read_text())
    first, second = command_line.shell(command), command_line.shell(command)

    assert second.returncode == 0, second.stderr.decode()
    assert _last_line(second.stdout) == _last_line(first.stdout)
    assert b"a duplicate of job" in second.stderr
    assert b"all texts: 13705 words\n" in second.stdout


def test_the_flaky_job_is_tried_three_times_and_its_duplicate_never(command_line: Any) -> None:
    """Example 02: two failed attempts, one that completes; the duplicate ends as that job; the search finds both."""
    first, again, listing = _commands((_EXAMPLES / "02-dedup-and-retry" / "README.md").read_text())
    ran = command_line.shell(first)
    assert ran.returncode == 0, ran.stderr.decode()
    assert [f"this is attempt {number}" for number in (1, 2, 3)] == ran.stdout.decode().splitlines()[:3]
    assert _last_line(ran.stdout).endswith(" job-completed")
    job_id = _last_line(ran.stdout).split()[0]

    repeated = command_line.shell(again)
    assert repeated.returncode == 0, repeated.stderr.decode()
    assert _last_line(repeated.stdout) == f"{job_id} job-completed"

    listed = command_line.shell(listing)
    assert listed.returncode == 0
    assert b"2 of 2 jobs" in listed.stderr
    documents = [
        json.loads(line) for line in command_line.shell(f"{listing} --json").stdout.decode().splitlines()
    ]
    assert sorted(document["status"] for document in documents) == ["job-completed", "job-deduped"]
    (flaky,) = [document for document in documents if document["id"] == job_id]
    assert [attempt.get("failure") for attempt in flaky["attempts"]] == ["user", "user", None]
    assert command_line.left_running() == []
