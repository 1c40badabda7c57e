"""Interfaces filled: sources, types, conversions, places; and everything that is missing or wrong at once."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hysds.core import parse
from hysds.core.errors import InvalidSpec
from hysds.core.job_types import filling, hits, interface_files
from hysds.core.job_types.filling import Request
from hysds.core.job_types.interface_files import Pair
from hysds.core.job_types.interfaces import Destination, Interface, JobFile, Parameter, Source

_FILES = Path(__file__).parents[3] / "job_files" / "docker"
_FOUND = [
    hits.hit_of({"id": id_, "_id": id_, "type": "job:x", "status": status, "job": {"params": params}})
    for id_, status, params in (("1", "job-failed", {"scene": "S1"}), ("2", "job-completed", {}))
]


def _stored(name: str) -> Interface:
    job, io = ((_FILES / f"{kind}.json.{name}").read_bytes() for kind in ("job-spec", "hysds-io"))
    found = interface_files.read(Pair(name, job, io, "v1")).interface
    assert found is not None
    return found


def _interface(*params: Parameter, **fields: Any) -> Interface:
    return Interface("hysds-io-x:v1", JobFile("run it"), params, **fields)


def _complaints(interface: Interface, request: Request, hit: Any = None) -> list[str]:
    with pytest.raises(InvalidSpec) as refusal:
        filling.fill(interface, request, hit, ())
    return [str(one) for one in refusal.value.complaints]


def test_a_filled_interface_is_a_spec_like_any_other() -> None:
    """Positional values follow the command in order, context values stand in the payload, all of it parses."""
    given = {"greeting": "it's  me", "count": "3", "loud": "true", "mode": "3"}
    document = filling.fill(_stored("hello"), Request(given, username="ana"), None, ())
    spec = parse.parse_document(document)

    assert list(spec.argv[3:]) == ["it's  me", "3", ""]
    assert {key: value for key, value in spec.payload.items() if key != "_command"} == {
        "count": 3,
        "loud": True,
        "release": "R2",
        "username": "ana",
        "comment": None,
    }
    assert (
        spec.job_type,
        spec.name,
        spec.job_queue,
        spec.username,
    ) == ("job:job-hello:v1", "job-hello__v1", "default", "ana")
    assert (
        spec.soft_time_limit,
        spec.time_limit,
        spec.resources.disk,
        spec.enable_dedup,
    ) == (600, 660, 10_000_000, True)


def test_defaults_hold_where_nothing_is_given() -> None:
    """They are checked and converted as if they had been given; null is as if nothing was."""
    document = filling.fill(_stored("hello"), Request({"greeting": "x", "mode": None}), None, ())

    assert shlex.split(document["payload"]["_command"])[3:] == ["x", "once", ""]
    assert (document["payload"]["count"], document["payload"]["loud"]) == (1, False)


def test_the_submission_may_say_more_than_the_files() -> None:
    """Queue, priority, tag, name, limits and repetition; one limit alone does not meet the other of the file."""
    request = Request({"greeting": "x"}, "fast", 7, "trial", "ana", "mine", soft_time_limit="5m", repeat=True)
    document = filling.fill(_stored("hello"), request, None, ())

    assert {
        "job_queue": "fast",
        "priority": 7,
        "tag": "trial",
        "job_name": "mine",
        "soft_time_limit": "5m",
        "enable_dedup": False,
    }.items() <= document.items()
    assert "time_limit" not in document


def test_a_type_without_queues_has_one_of_its_own_name() -> None:
    """As HySDS routes it."""
    assert filling.fill(_interface(), Request(), None, ())["job_queue"] == "job-x:v1"


def test_every_value_has_its_words_on_the_command_line() -> None:
    """Texts as they are, also with quotes and blanks; other values as JSON; none as an empty argument."""
    values = ["a b", "'", "$HOME", "-x", 3, 1.5, True, [1, "é"], {"a": None}]
    params = [
        Parameter(str(at), Destination.POSITIONAL, Source.VALUE, value=value)
        for at, value in enumerate(values)
    ]
    blank = Parameter("blank", Destination.POSITIONAL, optional=True)
    document = filling.fill(_interface(*params, blank), Request(), None, ())

    assert list(parse.parse_document(document).argv) == [
        "run",
        "it",
        "a b",
        "'",
        "$HOME",
        "-x",
        "3",
        "1.5",
        "true",
        '[1, "é"]',
        '{"a": null}',
        "",
    ]


def test_a_hit_gives_what_its_path_names() -> None:
    """Converted; an optional one that the hit lacks is none."""
    first, second = (filling.fill(_stored("again"), Request(), hit, ())["payload"] for hit in _FOUND)

    assert (first["_command"], first["scene"]) == ("echo again 1 FAILED", "S1")
    assert (second["_command"], second["scene"]) == ("echo again 2 COMPLETED", None)


def test_several_hits_give_lists() -> None:
    """One job for all of them: what a path names in each, in order, and the query that found them."""
    document = filling.fill(_stored("tally"), Request(query="--status failed"), _FOUND, ())

    assert {
        "job_ids": ["1", "2"],
        "types": ["job:x", "job:x"],
        "query": "--status failed",
    }.items() <= document["payload"].items()


def test_without_a_hit_its_values_may_be_given() -> None:
    """As somebody does who submits by hand for one thing."""
    given = {"job_id": "7", "status": "job-failed"}

    assert (
        filling.fill(_stored("again"), Request(given), None, ())["payload"]["_command"]
        == "echo again 7 FAILED"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("query", "--tag a"),
        ("name", "n"),
        ("username", "ana"),
        ("priority", 3),
        ("queue", "q"),
        ("tag", "t"),
        ("type", "job-x:v1"),
        ("job_type", "job-x:v1"),
    ],
)
def test_fields_of_the_submission_pass_through(name: str, value: Any) -> None:
    """A parameter of a field's name has its value."""
    param = Parameter(name, Destination.CONTEXT, Source.PASSTHROUGH)
    request = Request(query="--tag a", name="n", username="ana", priority=3, queue="q", tag="t")

    assert value == filling.fill(_interface(param), request, None, ())["payload"][name]


def test_dedup_keys_alone_tell_jobs_apart() -> None:
    """Equal for equal values of them whatever else differs, different for other ones and for another version."""
    interface = _interface(
        Parameter("a", Destination.CONTEXT), Parameter("b", Destination.POSITIONAL), dedup_keys=("a",)
    )
    others = [interface, interface, replace(interface, name="hysds-io-x:v2")]
    first, same, other_type = (
        filling.fill(one, Request({"a": 1, "b": at}), None, ())["payload_hash"]
        for at, one in enumerate(others)
    )
    other = filling.fill(interface, Request({"a": 2, "b": 0}), None, ())["payload_hash"]

    assert first == same
    assert len({first, other_type, other}) == 3
    assert (
        first
        == parse.parse_document(filling.fill(interface, Request({"a": 1, "b": 9}), None, ())).payload_hash
    )


def test_a_type_without_dedup_submits_repeats() -> None:
    """`enable_dedup: false` of the file is the spec's."""
    assert filling.fill(_interface(enable_dedup=False), Request(), None, ())["enable_dedup"] is False


def test_everything_that_is_wrong_is_told_at_once() -> None:
    """Missing, unknown with the near one, fixed, of the wrong type, unconvertible."""
    found = _complaints(
        _stored("hello"), Request({"mode": "never", "lowd": 1, "release": "R3", "count": "many"})
    )

    assert found[:-1] == [
        "$.params.lowd: job-hello:v1 has no such parameter; did you mean loud?",
        '$.params.release: can\'t be given: the interface says "R2"',
        "$.params.greeting: is required: the submitter gives it (what to say)",
        '$.params.mode: must be one of once, twice, 3, not "never"',
    ]
    assert found[-1].startswith(
        "$.params.count: \"many\" can't be converted by 'lambda x: int(x)': invalid literal"
    )


def test_what_only_a_hit_or_a_query_gives_is_asked_for() -> None:
    """With what to do."""
    assert _complaints(_stored("tally"), Request()) == [
        "$.params.job_ids: is taken from a hit (_id): search with --over, or give it",
        "$.params.types: is taken from a hit (_source.type): search with --over, or give it",
        "$.params.query: is passed through from the submission, which has no query: give --over",
    ]


def test_a_passed_through_value_that_is_missing_is_told_with_its_option() -> None:
    """One that is no field of a submission comes as a parameter."""
    params = (Parameter(name, Destination.CONTEXT, Source.PASSTHROUGH) for name in ("username", "who"))

    assert [one.rpartition(": ")[2] for one in _complaints(_interface(*params), Request())] == [
        "give --user",
        "give --param who=…",
    ]


def test_what_a_hit_gives_cannot_be_given() -> None:
    """Otherwise every job would say the same of another hit."""
    assert _complaints(_stored("again"), Request({"job_id": "7"}), _FOUND[0]) == [
        "$.params.job_id: can't be given: it is taken from each hit (_id)"
    ]


def test_a_hit_that_lacks_a_value_is_named() -> None:
    """With the path up to what it lacks."""
    param = Parameter("s", Destination.CONTEXT, Source.HIT, path="_source.job.params.scene.name")

    assert _complaints(_interface(param), Request(), _FOUND[1]) == [
        "$.params.s: job 2 has no _source.job.params.scene, which the value is taken from"
    ]


@pytest.mark.parametrize(("username", "hint"), [(None, "give --user"), ("eve", "eve is none of them")])
def test_only_allowed_accounts_may_submit(username: str | None, hint: str) -> None:
    """They are named."""
    found = _complaints(_interface(allowed_accounts=("ops", "ana")), Request(username=username))

    assert [f"$.username: job-x:v1 is for the accounts ops, ana; {hint}"] == found


def test_only_required_queues_are_taken() -> None:
    """A recommendation may be passed over, a requirement may not."""
    interface = replace(_interface(), job=JobFile("true", required_queues=("a", "b")))

    assert _complaints(interface, Request(queue="c")) == ["$.job_queue: job-x:v1 runs in a, b only, not in c"]
    assert filling.fill(interface, Request(queue="b"), None, ())["job_queue"] == "b"


def test_what_this_release_does_not_do_refuses_the_submission() -> None:
    """With the reason; also the rest is told, so that it is known before that comes."""
    found = _complaints(_stored("scene-crop"), Request({"bbox": "{"}), _FOUND[0])

    assert [one.partition(": ")[0] for one in found] == [
        "job-spec $.imported_worker_files",
        "job-spec $.params",
        "hysds-io $.params",
        "job-spec $.imported_worker_files",
        "$.params.scene_url",
        "$.params.bbox",
    ]


def test_a_version_of_a_registered_type_is_taken() -> None:
    """`jobspec_version` is checked against the types that there are."""
    param = Parameter("v", Destination.CONTEXT, type="jobspec_version", version_regex="^job-y:")

    assert filling.fill(_interface(param), Request({"v": "v2"}), None, ["job-y:v2"])["payload"]["v"] == "v2"
    assert _complaints(_interface(param), Request({"v": "v2"})) == [
        "$.params.v: must be the version of a type that '^job-y:' finds (none), not \"v2\""
    ]


def test_a_document_is_json() -> None:
    """It goes through the front door as any spec does."""
    document = filling.fill(_stored("tally"), Request(query=""), _FOUND, ())

    assert document == json.loads(json.dumps(document))
