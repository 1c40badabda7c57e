"""Job types of HySDS's files: what they say, what two of them may not both say, and what can't be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hysds.core.budgets import Budget, Retry
from hysds.core.errors import InvalidSpec
from hysds.core.job_types.catalog import Command, Creator, Dedup, Image, JobType, Limits
from hysds.core.job_types.type_merging import read
from hysds.core.spec import Resources

CREATOR = {"job_name": "ingest", "function": "creators.ingest.make", "job_queues": ["a", "b"]}
COMMAND = {
    "path": "/bin/x",
    "options": ["-v"],
    "arguments": ["$url", "out"],
    "env": [{"key": "A", "value": "b"}],
}


def of(*entries: dict[str, Any], **top: Any) -> str:
    """A file with these entries."""
    return json.dumps({"configs": entries, **top})


def complaints(**files: str) -> list[str]:
    """What is wrong with these files."""
    with pytest.raises(InvalidSpec) as caught:
        read({f"{name}.json": text for name, text in files.items()})
    return [str(one) for one in caught.value.complaints]


def test_hysdss_own_files_make_types() -> None:
    """Creators with their queues and limits; commands with what they need of a host."""
    orchestrator = of(
        {"job_type": "job:ingest", "job_creators": [{**CREATOR, "soft_time_limit": 60, "time_limit": "2m"}]}
    )
    worker = of(
        {
            "type": "ingest",
            "command": COMMAND,
            "disk_usage": "10GB",
            "container_image_name": None,
            "dependency_images": [],
        },
        root_work_dir="/data/work",
        webdav_port=8085,
        webdav_url=None,
    )

    known, notes = read({"orchestrator_jobs.json": orchestrator, "job_worker.json": worker})

    assert known.types == {
        "job:ingest": JobType(
            "job:ingest",
            creators=(Creator("ingest", "creators.ingest.make", ("a", "b"), 60.0, 120.0),),
            command=Command("/bin/x", ("-v",), ("$url", "out"), {"A": "b"}),
            resources=Resources(disk=10 * 10**9),
            sources=("orchestrator_jobs.json: $.configs[0]", "job_worker.json: $.configs[0]"),
        )
    }
    assert [one.path for one in notes] == [
        f"job_worker.json: $.{key}" for key in ("root_work_dir", "webdav_port", "webdav_url")
    ]


def test_our_own_keys_may_stand_in_either_file() -> None:
    """Queues, limits and ceilings, needs, retries, duplicates, bounds."""
    ours = {
        "queues": ["gpu"],
        "priority": 3,
        "soft_time_limit": "1m",
        "time_limit": "2m",
        "ceilings": {
            "time_limit": "1h",
            "priority": 5,
            "slots": 2,
            "cpus": 1.5,
            "memory": "2GB",
            "disk": "3GB",
        },
        "resources": {"slots": 2, "memory": "1GB"},
        "retry": {"gpu": {"attempts": 3}},
        "dedup": {"states": ["job-completed"], "window": "1d", "ignore": ["_tag"]},
        "max_running": 4,
        "rate": "30/m",
        "burst": 5,
    }
    expected = {
        "queues": ("gpu",),
        "limits": Limits(
            60.0, 120.0, 3600.0, 3, 5, {"slots": 2, "cpus": 1.5, "memory": 2 * 10**9, "disk": 3 * 10**9}
        ),
        "resources": Resources(slots=2, memory=10**9),
        "retry": Retry(gpu=Budget(3)),
        "dedup": Dedup(True, ("job-completed",), 86_400.0, False, ("_tag",)),
        "places": 4,
        "rate_per_s": 0.5,
        "burst": 5,
    }

    for entry in ({"job_type": "job:x", **ours}, {"type": "job:x", **ours}):
        known, _ = read({"f": of(entry)})
        assert known.types["job:x"] == JobType("job:x", sources=("f: $.configs[0]",), **expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "dedup"),
    [
        (False, Dedup(enabled=False)),
        (True, Dedup()),
        ({"window": "forever"}, Dedup(forever=True)),
        ({"enabled": False, "states": []}, Dedup(enabled=False, states=())),
    ],
)
def test_duplicates_may_be_said_in_short(said: Any, dedup: Dedup) -> None:
    """On, off, or for ever."""
    assert read({"f": of({"job_type": "x", "dedup": said})})[0].types["x"].dedup == dedup


def test_a_workers_type_serves_the_orchestrators_of_the_same_bare_name() -> None:
    """HySDS cuts the namespace off; what no orchestrator names is a type of its own."""
    known, _ = read(
        {
            "a": of({"job_type": "job:x"}, {"job_type": "other:x"}),
            "b": of({"type": "x", "command": COMMAND}, {"type": "alone", "command": COMMAND}),
        }
    )

    assert sorted(known.types) == ["alone", "job:x", "other:x"]
    assert all(one.command is not None for one in known.types.values())


def test_an_image_is_registered_and_explained() -> None:
    """Its jobs are refused until it can be run; urls may be JSON in a text, as HySDS's are."""
    entry = {
        "type": "x",
        "command": COMMAND,
        "container_image_name": "x:v1",
        "container_image_url": "s3://x",
        "container_image_urls": '{"x86_64": "s3://y"}',
        "container_mappings": {"/a": ["/b", "ro"]},
        "runtime_options": {"gpus": "all"},
        "dependency_images": [{"container_image_name": "y:v1"}],
    }

    job_type = read({"f": of(entry)})[0].types["x"]

    assert job_type.image == Image(
        "x:v1", "s3://x", {"x86_64": "s3://y"}, {"/a": ["/b", "ro"]}, {"gpus": "all"}
    )
    assert job_type.dependency_images == (Image("y:v1"),)
    assert job_type.refusals == (
        "needs the container image x:v1, and containers can't be run yet",
        "needs the images y:v1 beside it, and containers can't be run yet",
    )


def test_a_dollar_that_a_shell_would_have_replaced_is_noted() -> None:
    """In the path and in options; HySDS's script let a shell see them."""
    command = {"path": "$HOME/bin/x", "options": ["-$A"], "arguments": ["$url"]}

    _, notes = read({"f": of({"type": "x", "command": command})})

    assert [one.path for one in notes] == [
        "f: $.configs[0].command.path",
        "f: $.configs[0].command.options",
    ]


def test_two_files_that_define_a_type_are_refused_with_both_places() -> None:
    """Alike or not; within one file too."""
    found = complaints(
        a=of({"job_type": "job:x"}, {"job_type": "job:y"}, {"job_type": "job:y"}),
        b=of({"job_type": "job:x"}),
        c=of({"type": "x"}),
        d=of({"type": "x"}),
    )

    assert found == [
        "a.json: $.configs[2]: job type job:y is defined by a.json: $.configs[1] too; keep one of them",
        "b.json: $.configs[0]: job type job:x is defined by a.json: $.configs[0] too; keep one of them",
        "d.json: $.configs[0]: job type x is defined by c.json: $.configs[0] too; keep one of them",
    ]


def test_what_both_kinds_of_file_say_of_a_type_is_refused_with_both_places() -> None:
    """Nobody knows which one counts."""
    found = complaints(
        a=of({"job_type": "job:x", "queues": ["q"], "max_running": 1}), b=of({"type": "x", "queues": ["q"]})
    )

    assert found == [
        "b.json: $.configs[0].queues: is said of job type job:x by a.json: $.configs[0].queues too; keep one of them"
    ]


@pytest.mark.parametrize("size", [0, 1, 20, -1])
def test_half_a_file_is_no_file(size: int) -> None:
    """Somebody is writing it; the others are told of all the same."""
    whole = of({"job_type": "job:x"}, {"job_type": "job:y"})

    found = complaints(half=whole[:size], other=of({"job_type": ""}))

    assert found[0].startswith("half.json: $: not JSON")
    assert any(one.startswith("other.json: $.configs[0].job_type") for one in found)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"configs": [], "configs": []}', "f.json: $.configs: given twice"),
        ('{"configs": [{"job_type": "x", "job_type": "y"}]}', "f.json: $.configs[0].job_type: given twice"),
        ("[]", "f.json: $: must be an object with configs, not a list"),
        ("{}", "f.json: $.configs: is required: a list of job types"),
        ('{"configs": {}}', "f.json: $.configs: is required: a list"),
        (of(root="x"), "f.json: $.root: unknown key; known are configs"),
        ('{"configs": [3]}', "f.json: $.configs[0]: must be an object, not a number"),
    ],
)
def test_a_file_that_is_none_is_refused(text: str, complaint: str) -> None:
    """With its name and what is wrong."""
    assert complaints(f=text)[0].startswith(complaint)


def test_a_key_twice_hides_nothing_else_that_is_wrong() -> None:
    """In its own file neither."""
    text = '{"configs": [{"job_type": "job:x", "priority": 1, "priority": 2}, {"job_type": "job:y", "priorty": 1}]}'

    assert [one.partition(": $")[2].partition(":")[0] for one in complaints(f=text)] == [
        ".configs[0].priority",
        ".configs[1].priorty",
    ]


@pytest.mark.parametrize(("path", "count"), [("/bin/x", 1), ("sh", 0), ("/usr/bin/bash", 0)])
def test_a_dollar_in_an_option_is_noted_where_no_shell_reads_it(path: str, count: int) -> None:
    """HySDS's script had one read all; `sh -c` has one still."""
    command = {"path": path, "options": ["-c", "echo $0"], "arguments": []}

    assert len(read({"f.json": of({"type": "x", "command": command})})[1]) == count


_ORCHESTRATORS: list[tuple[dict[str, Any], str, str]] = [
    ({"priorty": 1}, ".priorty", "unknown key"),
    ({"command": COMMAND}, ".command", "unknown key"),
    ({"type": "x"}, "", "needs one of job_type"),
    ({"priority": 11}, ".priority", "less than or equal to 10"),
    ({"time_limit": "1 fortnight"}, ".time_limit", "is not a duration"),
    ({"soft_time_limit": 3, "time_limit": 2}, ".soft_time_limit", "beyond the time_limit"),
    ({"resources": {"memory": "10 Gib"}}, ".resources.memory", "is not a size"),
    ({"resources": {"gpus": 1}}, ".resources.gpus", "unknown field"),
    ({"retry": {"usr": {"attempts": 1}}}, ".retry.usr", "did you mean user?"),
    ({"queues": "gpu"}, ".queues", "must be a list of strings, not a string"),
    ({"queues": ["a b"]}, ".queues[0]", "can't name a queue"),
    ({"queues": ["a", "a"]}, ".queues[1]", "named twice"),
    ({"max_running": 0}, ".max_running", "whole number"),
    ({"max_running": True}, ".max_running", "whole number"),
    ({"rate": "fast"}, ".rate", "is not a rate"),
    ({"burst": 3}, ".burst", "has no use without rate"),
    ({"rate": "1/d", "burst": 10**9}, ".rate", "more than ten years to fill"),
    ({"dedup": {"states": ["job-failed"]}}, ".dedup.states", "is none of job-queued"),
    ({"dedup": {"window": "long"}}, ".dedup.window", "is not a duration"),
    ({"dedup": {"enabled": "no"}}, ".dedup.enabled", "must be true or false"),
    ({"dedup": {"ignore": "x"}}, ".dedup.ignore", "must be a list"),
    ({"dedup": {"keys": []}}, ".dedup.keys", "unknown key"),
    ({"dedup": 3}, ".dedup", "must be an object"),
    ({"ceilings": {"tim": 1}}, ".ceilings.tim", "unknown key"),
    ({"ceilings": {"memory": "x"}}, ".ceilings.memory", "is not a size"),
    ({"ceilings": {"slots": "2"}}, ".ceilings.slots", "a number above 0"),
    ({"ceilings": {"priority": 11}}, ".ceilings.priority", "from 0 to 10"),
    ({"ceilings": {"time_limit": "1h"}, "time_limit": "2h"}, ".ceilings", "time_limit: 2h is above 1h"),
    ({"job_creators": {}}, ".job_creators", "must be a list of objects"),
    ({"job_creators": [3]}, ".job_creators[0]", "must be an object"),
    ({"job_creators": [{}]}, ".job_creators[0].function", "must be a dotted name"),
    ({"job_creators": [{**CREATOR, "function": "__import__('os')"}]}, ".job_creators[0].function", "dotted"),
    ({"job_creators": [{**CREATOR, "job_queues": "q"}]}, ".job_creators[0].job_queues", "must be a list"),
    ({"job_creators": [{**CREATOR, "queue": "q"}]}, ".job_creators[0].queue", "unknown key"),
    ({"job_creators": [{**CREATOR, "time_limit": "x"}]}, ".job_creators[0].time_limit", "not a duration"),
    ({"job_creators": [{**CREATOR, "time_limit": 0}]}, ".job_creators[0].time_limit", "above 0"),
    (
        {"job_creators": [{**CREATOR, "soft_time_limit": 9, "time_limit": 8}]},
        ".job_creators[0].soft_time_limit",
        "beyond the time_limit",
    ),
    ({"job_creators": [CREATOR, {**CREATOR, "job_queues": ["b"]}]}, ".job_creators[1]", "same queue"),
]
_WORKERS: list[tuple[dict[str, Any], str, str]] = [
    ({"job_creators": []}, ".job_creators", "unknown key"),
    ({"command": "/bin/x"}, ".command", "must be an object"),
    ({"command": {"path": ""}}, ".command.path", "is required"),
    ({"command": {"path": 3}}, ".command.path", "must be a string"),
    ({"command": {"path": "/bin/x", "args": []}}, ".command.args", "unknown key"),
    ({"command": {"path": "/bin/x", "arguments": "$a"}}, ".command.arguments", "must be a list"),
    ({"command": {"path": "/bin/x", "arguments": [3]}}, ".command.arguments[0]", "must be a string"),
    ({"command": {"path": "/bin/x", "options": ["a\0"]}}, ".command.options[0]", "NUL"),
    ({"command": {"path": "/bin/x", "env": {"A": "b"}}}, ".command.env", "must be a list"),
    ({"command": {"path": "/bin/x", "env": [{"key": "A"}]}}, ".command.env[0].value", "must be a string"),
    (
        {"command": {"path": "/bin/x", "env": [{"key": "HYSDS_X", "value": ""}]}},
        ".command.env[0]",
        "reserved",
    ),
    (
        {"command": {"path": "/bin/x", "env": [{"key": "A", "value": ""}] * 2}},
        ".command.env[1]",
        "given twice",
    ),
    ({"disk_usage": "10 Gib"}, ".disk_usage", "is not a size"),
    ({"disk_usage": "1GB", "resources": {"disk": "2GB"}}, ".disk_usage", "contradicts disk in resources"),
    ({"container_image_name": 3}, ".container_image_name", "must be a string"),
    ({"container_image_urls": "{"}, ".container_image_urls", "not JSON"),
    ({"container_mappings": ["/a"]}, ".container_mappings", "must be an object"),
    ({"dependency_images": {}}, ".dependency_images", "must be a list of objects"),
    ({"dependency_images": [{"name": "x"}]}, ".dependency_images[0].name", "unknown key"),
]


@pytest.mark.parametrize(
    ("entry", "path", "words"),
    [
        *(({"job_type": "job:x"} | entry, path, words) for entry, path, words in _ORCHESTRATORS),
        *(({"type": "x"} | entry, path, words) for entry, path, words in _WORKERS),
        ({}, "", "needs one of job_type"),
        ({"job_type": 3}, ".job_type", "valid string"),
        ({"type": ""}, ".type", "at least 1"),
        ({"type": "a\n"}, ".type", "control character"),
    ],
)
def test_an_entry_that_can_t_be_is_refused_with_its_place(
    entry: dict[str, Any], path: str, words: str
) -> None:
    """File, JSON path, and what to do."""
    found = complaints(f=of(entry))

    assert any(one.startswith(f"f.json: $.configs[0]{path}: ") and words in one for one in found), found


def test_all_that_is_wrong_in_all_files_is_told_at_once() -> None:
    """Nobody mends a set one error a time."""
    found = complaints(
        a=of({"job_type": "x", "priority": 11, "queues": 3}, {"job_type": "y", "rate": 0}), b="{", c=of({})
    )

    assert len(found) == 5
