"""Each folder of `examples/`, exactly as its README says: its commands in a shell, its tables against the files."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

from hysds.core import ids
from hysds.core.ids import JobId
from hysds.core.query import JobQuery
from hysds.sdk.client import Client
from hysds.sdk.following import Output

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

    assert {folder.name for folder in folders} == {
        "01-word-count",
        "02-dedup-and-retry",
        "03-job-types",
        "04-tasks",
        "05-schedule-and-array",
        "06-failures-and-metrics",
    }
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


def test_job_types_fan_out_by_a_creator(command_line: Any) -> None:
    """Example 03: three types are in force, a creator makes four jobs, each prints what the README says."""
    readme = (_EXAMPLES / "03-job-types" / "README.md").read_text()
    export, up, types, by_hand, fan_out, nowhere, reload_, down = _commands(readme)

    def shell(line: str) -> Any:
        return command_line.shell(f"{export}; {line}")

    assert shell(up).returncode == 0
    try:
        listed = shell(f"{types} --json").stdout.decode().splitlines()
        assert [json.loads(line)["name"] for line in listed] == ["count", "job:library", "total"]
        first, group = (shell(line).stdout.decode().strip() for line in (by_hand, fan_out))
        with command_line.client() as client:
            client.wait(group, 60)
            count = client.job(group)["children"]
            members = [client.job(str(ids.child(JobId(group), position))) for position in range(4)]
            ran = [member.get("dedup_job") or member["id"] for member in members]
            printed = [_printed(client, job_id) for job_id in ran]
        assert first in {member.get("dedup_job") for member in members}
        assert (count["done"], count["deduped"], count["failed"]) == (3, 1, 0)
        names = [member["job"]["name"] for member in members]
        assert _tables(readme) == [[["job", "prints"], *map(list, zip(names, printed, strict=True))]]

        refused = shell(nowhere)
        assert refused.returncode == 2
        assert b"raised ValueError: there are no texts in /nowhere" in refused.stderr
        assert b'raise ValueError(f"there are no texts' in refused.stderr
        assert b"nothing changed" in shell(reload_).stdout
    finally:
        assert shell(down).returncode == 0
    assert command_line.left_running() == []


def _printed(client: Client, job_id: str) -> str:
    """The number of `wc`'s last line, and `total` where it says so; the names of files are this host's."""
    parts = [seen.chunk.data for seen in client.follow(job_id).so_far() if isinstance(seen, Output)]
    number, name = b"".join(parts).decode().splitlines()[-1].split()
    return f"{number} total" if name == "total" else number


def test_tasks_come_back_with_results_and_cost_their_child_alone(command_line: Any) -> None:
    """Example 04: its commands in one shell print what the README says, and leave nothing running."""
    readme = (_EXAMPLES / "04-tasks" / "README.md").read_text()
    (printed,) = re.findall(r"```\n(.*?)```", readme.partition("## What comes back")[2], re.DOTALL)
    ran = command_line.shell("\n".join(_commands(readme)))

    assert ran.returncode == 0, ran.stderr.decode()
    assert printed in ran.stdout.decode()
    assert command_line.left_running() == []


def test_the_array_counts_primes_three_at_a_time_and_the_report_comes_each_minute(command_line: Any) -> None:
    """Example 05: ten members as the README says, one group that ends with them; a real minute fires the schedule."""
    readme = (_EXAMPLES / "05-schedule-and-array" / "README.md").read_text()
    up, submit, add, run, list_, jobs, down = _commands(readme)
    assert command_line.shell(up).returncode == 0
    group = command_line.shell(submit).stdout.decode().strip()
    assert command_line.shell(add).returncode == 0
    by_hand = command_line.shell(run).stdout.decode().strip()
    with command_line.client() as client:
        whole = client.wait(group, 120)
        members = client.jobs(JobQuery(parent=frozenset({group}), limit=100)).documents
        assert client.wait(by_hand, 120)["schedule"] == "report"
        while (fired := client.schedules.get("report").last) is None:
            time.sleep(0.5)  # no event tells of a minute that begins
        ended = client.wait(fired.job_id, 120)

    assert (whole["status"], whole["children"]["done"]) == ("job-completed", 10)
    rows = [[str(one["array_index"]), _output(one).strip()] for one in members]
    assert sorted(rows, key=lambda row: int(row[0])) == _tables(readme)[0][1:]
    assert (ended["status"], ended["schedule"]) == ("job-completed", "report")
    assert _output(ended) == f"the report of report for {ended['schedule_time']}\n"
    assert "report" in command_line.shell(list_).stdout.decode()
    assert "count-primes" in command_line.shell(jobs).stdout.decode()
    assert command_line.shell(down).returncode == 0
    assert command_line.left_running() == []


def _output(document: Any) -> str:
    return (Path(document["job"]["job_info"]["job_dir"]) / "_stdout.txt").read_text()


def test_a_failure_is_told_and_counted(command_line: Any) -> None:
    """Example 06: the exit code is the job's, the listing has it, and the indexer's metrics are those of the README."""
    readme = (_EXAMPLES / "06-failures-and-metrics" / "README.md").read_text()
    (printed,) = re.findall(r"```\n(hysds_.*?)```", readme, re.DOTALL)
    export, up, run, listing, ask, down = _commands(readme)

    def shell(line: str) -> Any:
        return command_line.shell(f"{export}; {line}")

    started = shell(up)
    assert started.returncode == 0
    assert b"run/metrics" in started.stdout
    try:
        ran = shell(run)
        assert ran.returncode == 1
        assert b"No such file or directory" in ran.stderr
        assert re.search(rb"failed as +user", ran.stderr)
        while b"job-failed" not in shell(listing).stdout:
            pass  # the indexer is a moment behind
        while not (told := shell(ask).stdout.decode()):
            pass
        assert told == printed
    finally:
        assert shell(down).returncode == 0
    assert command_line.left_running() == []
