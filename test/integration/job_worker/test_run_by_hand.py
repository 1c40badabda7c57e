"""A work directory is enough to run a job again."""

from __future__ import annotations

import json
import subprocess

from worlds.job_worker import Bench


def test_run_sh_does_what_the_worker_did(bench: Bench) -> None:
    """Quoted, with the declared environment only, whatever the caller's is."""
    command = """sh -c 'printf "%s|" "$0" "$@" "$MINE" "$PWD"; env | grep -c SECRET' 'a b' "c\\"d" '$HOME'"""
    found = bench.run(command, env={"MINE": "it's\nmine"})
    directory = bench.directory(found)

    again = subprocess.run(
        [directory / "_run.sh"], env={"SECRET": "s", "PATH": "/nowhere"}, capture_output=True, check=False
    )

    assert again.stdout == (directory / "_stdout.txt").read_bytes()
    assert again.stdout.startswith(b"a b|c\"d|$HOME|it's\nmine|")
    assert again.stdout.endswith(b"|0\n")


def test_job_and_context_are_what_hysds_jobs_expect(bench: Bench) -> None:
    """`_job.json` is the job of the document; `_context.json` holds the parameters at the top."""
    found = bench.run("true", context={"who": "me"}, tag="t")
    directory = bench.directory(found)

    job = json.loads((directory / "_job.json").read_text())
    context = json.loads((directory / "_context.json").read_text())
    assert (job["job_id"], job["type"], job["params"]) == (found["id"], "job:q", {"_command": "true"})
    assert (context["_command"], context["context"], context["job_priority"]) == ("true", {"who": "me"}, 0)
    assert (directory / "_pid").read_text().strip().isdigit()


def test_what_the_job_says_of_its_failure_is_what_people_read(bench: Bench) -> None:
    """`_alt_error.txt` and `_alt_traceback.txt` override our words; messages and metrics come along."""
    code = (
        "import json\n"
        "open('_alt_error.txt', 'w').write('no scene found for orbit 7')\n"
        "open('_alt_traceback.txt', 'w').write('at line 3')\n"
        "open('_alt_msg.txt', 'w').write('looked everywhere')\n"
        "open('_alt_msg_details.txt', 'w').write('in all 3 archives')\n"
        "json.dump({'download': [{'url': 'u'}]}, open('pge_metrics.json', 'w'))\n"
        "json.dump({'cpu': 1}, open('_docker_stats.json', 'w'))\n"
        "raise SystemExit(2)\n"
    )
    found = bench.python(code)

    assert (found["error"], found["traceback"]) == ("no scene found for orbit 7", "at line 3")
    assert (found["msg"], found["msg_details"]) == (["looked everywhere"], "in all 3 archives")
    metrics = found["job"]["job_info"]["metrics"]
    assert (metrics["inputs_localized"], metrics["usage_stats"]) == ([{"url": "u"}], [{"cpu": 1}])
    assert (found["failure_class"], found["job"]["job_info"]["status"]) == ("user", 2)
