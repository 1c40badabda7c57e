"""Job and interface files, read: what they mean, and everything that is odd about them at once."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysds.core import parse
from hysds.core.errors import Complaint, InvalidSpec
from hysds.core.job_types import filling, interface_files, interfaces
from hysds.core.job_types.interface_files import Pair, Reading
from hysds.core.job_types.interfaces import (
    Action,
    Component,
    Destination,
    Interface,
    Parameter,
    Source,
    Submitting,
)
from hysds.core.job_types.json_fields import Findings

_FILES = Path(__file__).parents[3] / "job_files" / "docker"
_JOB: dict[str, Any] = {"command": "true"}


def _read(job: Any, io: Any = None) -> Reading:
    texts = [
        one if isinstance(one, bytes) else json.dumps(one).encode() for one in (job, {} if io is None else io)
    ]
    return interface_files.read(Pair("x", *texts, version="v1"))


def _stored(name: str) -> Reading:
    job, io = ((_FILES / f"{kind}.json.{name}").read_bytes() for kind in ("job-spec", "hysds-io"))
    return interface_files.read(Pair(name, job, io, "v1"))


def _interface(reading: Reading) -> Interface:
    assert reading.interface is not None, (reading.job.complaints, reading.io.complaints)
    return reading.interface


def _texts(complaints: list[Complaint]) -> list[str]:
    return [str(one) for one in complaints]


def test_a_pair_says_how_a_job_runs_and_where_its_parameters_come_from() -> None:
    """Queues under either spelling, sizes and limits in bytes and seconds, parameters in the order of the job-spec."""
    made = _interface(_stored("hello"))

    assert (made.name, made.job_type, made.label) == ("hysds-io-hello:v1", "job-hello:v1", "Say hello")
    assert (
        made.job.recommended_queues,
        made.job.soft_time_limit_s,
        made.job.time_limit_s,
        made.job.disk_bytes,
    ) == (("default",), 600, 660, 10_000_000)
    assert [param.name for param in made.params] == [
        "greeting",
        "mode",
        "suffix",
        "count",
        "loud",
        "release",
        "username",
        "comment",
    ]
    assert Parameter(
        "mode", Destination.POSITIONAL, type="enum", default="once", enumerables=("once", "twice", 3)
    ) == made.param("mode")
    assert (made.params[5].source, made.params[5].value) == (Source.VALUE, "R2")
    assert (made.params[6].source, made.params[7].optional) == (Source.PASSTHROUGH, True)
    assert (
        made.component,
        made.submitting,
        made.action,
        made.enable_dedup,
    ) == (Component.JOBS, Submitting.INDIVIDUAL, Action.ON_DEMAND, True)


def test_what_comes_with_later_releases_is_kept() -> None:
    """Mounts, images and processors are there, so that the type needs no second registration for them."""
    job = _interface(_stored("interferogram")).job

    assert (
        job.dependency_images[0]["container_image_name"],
        job.pre,
        job.post,
        job.required_queues,
    ) == ("isce:v2", ("hysds.utils.mark_localized_datasets",), ("hysds.utils.triage",), ("insar",))


def test_a_key_twice_counts_the_last_time_and_is_a_doubt() -> None:
    """As HySDS takes it, but not silently: with the key and both places."""
    reading = _stored("scene-crop")

    assert _interface(reading).job.imported_worker_files == {
        "$HOME/.netrc": ["/home/ops/.netrc", "ro"],
        "$HOME/.aws": "/home/ops/.aws",
    }
    assert _texts(reading.job.doubts) == [
        "$.imported_worker_files: is given more than once, on lines 3 and 6, with different values; keep one of them"
    ]
    assert _interface(reading).doubts[0].path == "job-spec $.imported_worker_files"


def test_a_key_twice_with_one_value_is_a_note() -> None:
    """It can only mean one thing."""
    reading = _read(b'{"command": "a",\n"command": "a"}')

    assert (reading.job.doubts, len(reading.job.notes)) == ([], 1)


def test_a_hard_limit_that_is_not_above_the_soft_one_is_left_to_the_gap() -> None:
    """As HySDS raises it; a note says so."""
    reading = _read(_JOB | {"soft_time_limit": 3600, "time_limit": "1h"})

    assert (_interface(reading).job.soft_time_limit_s, _interface(reading).job.time_limit_s) == (3600, None)
    assert "$.time_limit: is not above the soft limit" in _texts(reading.job.notes)[0]


def test_parameters_that_one_file_lacks_are_noted() -> None:
    """The submitter gives what the interface does not speak of; what the job does not take goes nowhere."""
    reading = _read(
        _JOB | {"params": [{"name": "a", "destination": "context"}]},
        {"params": [{"name": "b", "from": "submitter"}]},
    )

    assert (Parameter("a", Destination.CONTEXT),) == _interface(reading).params
    assert _texts(reading.io.notes) == [
        '$.params: says nothing of the job-spec\'s parameter "a": the submitter gives it',
        '$.params: "b" is no parameter of the job-spec, and goes nowhere',
    ]


def test_unknown_keys_and_types_are_noted_with_the_near_one() -> None:
    """HySDS ignores them too, but does not say so."""
    reading = _read(
        _JOB | {"time_limt": 3, "params": [{"name": "a", "destination": "context", "why": 1}]},
        {"lable": "x", "params": [{"name": "a", "from": "submitter", "type": "colour"}]},
    )

    assert {
        "$.time_limt: is not known, and has no effect; did you mean time_limit?",
        "$.params[0].why: is not known, and has no effect",
    } == set(_texts(reading.job.notes))
    assert {
        "$.lable: is not known, and has no effect; did you mean label?",
        "$.params[0].type: 'colour' is not known: values are taken as they are",
    } == set(_texts(reading.io.notes))


@pytest.mark.parametrize(
    ("job", "io", "doubt"),
    [
        ({"disk_usage": "10G"}, {}, "job-spec $.disk_usage: '10G' is not a size: write 10GiB or 10GB"),
        ({"time_limit": -1}, {}, "job-spec $.time_limit: -1 is not a duration"),
        ({"soft_time_limit": 0}, {}, "job-spec $.soft_time_limit: must be more than 0 s"),
        ({"required-queues": ["a b"]}, {}, 'job-spec $["required-queues"]: "a b" can\'t name a queue'),
        ({}, {"dedup_keys": ["zz"]}, 'hysds-io $.dedup_keys: "zz" is no parameter of the job'),
        ({}, {"params": [{"name": "a", "from": "value"}]}, "hysds-io $.params[0].value: is required"),
        (
            {},
            {"params": [{"name": "a", "from": "submitter", "type": "enum"}]},
            "hysds-io $.params[0].enumerables: is required",
        ),
        (
            {},
            {"params": [{"name": "a", "from": "submitter", "version_regex": "("}]},
            "hysds-io $.params[0].version_regex: is no regular expression",
        ),
    ],
)
def test_what_cannot_be_meant_is_a_doubt(job: dict[str, Any], io: dict[str, Any], doubt: str) -> None:
    """The type is registered, and its interface remembers why nothing of it can be submitted."""
    made = _interface(_read(_JOB | {"params": [{"name": "a", "destination": "context"}]} | job, io))

    assert [
        one
        for one in _texts(list(made.doubts))
        if doubt.replace('["required-queues"]', ".required-queues") in one
    ]


def test_everything_that_is_wrong_is_complained_of_at_once() -> None:
    """Both files, each place."""
    reading = _read(
        {
            "command": "",
            "params": [
                {"name": "a", "destination": "nowhere"},
                {"name": "a", "destination": "context"},
                {"destination": "context"},
                {"name": "_command", "destination": "context"},
                {"name": "b"},
            ],
            "recommended-queues": "one",
            "pre": [3],
            "imported_worker_files": [],
            "dependency_images": ["x"],
            "disable_pre_builtins": "no",
        },
        {
            "submission_type": "all",
            "component": "mozart",
            "action-type": 3,
            "enable_dedup": 1,
            "params": [
                {"name": "a"},
                {"name": "b", "from": "dataset_jpath"},
                {"name": "c", "from": "value:3"},
            ],
        },
    )

    assert reading.interface is None
    assert {
        '$.params[0].destination: must be one of positional, context, localize, not "nowhere"',
        '$.params[1].name: another parameter is named "a"',
        "$.params[2].name: is required",
        "$.params[3].name: _command is reserved: HySDS gives it a meaning of its own",
        "$.params[4].destination: is required",
        "$.command: is required",
        "$.recommended-queues: must be a list, not a string",
        "$.pre: must be a list of strings",
        "$.imported_worker_files: must be an object, not a list",
        "$.dependency_images: must be a list of objects",
        "$.disable_pre_builtins: must be a boolean, not a string",
    } == set(_texts(reading.job.complaints))
    assert {
        '$.submission_type: must be one of iteration, individual, not "all"',
        '$.component: must be one of figaro, tosca, not "mozart"',
        "$.action-type: must be a string, not a number",
        "$.enable_dedup: must be a boolean, not a number",
        "$.params[0].from: is required",
        '$.params[1].from: must be value, submitter, passthrough or dataset_jpath:PATH, not "dataset_jpath"',
        '$.params[2].from: must be value, submitter, passthrough or dataset_jpath:PATH, not "value:3"',
    } == set(_texts(reading.io.complaints))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "not JSON"),
        (b"[]", "must be an object, not a list"),
        (b"\xff{}", "not JSON"),
        (b'{"command": NaN}', "not JSON"),
        (b"[" * 100_000, "not readable"),
        (b'{"command": "' + b"a" * 1_000_000 + b'"}', "has more than 1,000,000 bytes"),
        (b'{"command": "a \'"}', "can't be split into arguments"),
        (b'{"command": "  "}', "names no program"),
        (b'{"command": ["a"]}', "must be a string, not a list"),
        (b'{"command": "\\ud800"}', "holds half of a surrogate pair"),
        (b'{"command": "a", "x": ' + b"[" * 60 + b"]" * 60 + b"}", "nested more than 50 levels deep"),
    ],
)
def test_a_text_that_is_no_job_file_is_a_complaint(text: bytes, message: str) -> None:
    """Whatever lies there, the answer is one of words."""
    reading = _read(text)

    assert reading.interface is None
    assert message in str(reading.job.complaints[0])


def test_a_value_that_is_not_taken_is_noted() -> None:
    """The source says where it comes from."""
    params = {"params": [{"name": "a", "from": "submitter", "value": 3}]}
    reading = _read(_JOB | {"params": [{"name": "a", "destination": "context"}]}, params)

    assert _texts(reading.io.notes) == ["$.params[0].value: has no effect, as the value comes from elsewhere"]


def test_a_passthrough_of_no_field_of_a_submission_is_noted() -> None:
    """Only `--param` can give it."""
    params = {"params": [{"name": "who", "from": "passthrough"}, {"name": "username", "from": "passthrough"}]}
    reading = _read(
        _JOB | {"params": [{"name": name, "destination": "context"} for name in ("who", "username")]}, params
    )

    [note] = _texts(reading.io.notes)
    assert note.startswith("$.params[0].from: no field of a submission is called so (query, name, username")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_in_any_encoding_of_json_are_read(encoding: str) -> None:
    """Editors write them; keys given twice are found there too."""
    reading = _read('{"command": "é",\n"command": "ü"}'.encode(encoding))

    assert (_interface(reading).job.command, len(reading.job.doubts)) == ("ü", 1)


def test_null_is_as_if_the_key_were_not_there() -> None:
    """Files that generators write are full of them."""
    reading = _read(
        _JOB | dict.fromkeys(("params", "time_limit", "disk_usage", "pre")), {"label": None, "params": None}
    )

    assert Interface("hysds-io-x:v1", _interface(reading).job) == reading.interface
    assert Findings() == reading.job == reading.io


_ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def _objects(keys: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of these keys, each with anything."""
    return st.dictionaries(st.sampled_from(keys), _ANY, max_size=5)


_WORDS = st.sampled_from(
    ["positional", "context", "localize", "value", "submitter", "passthrough", "dataset_jpath:_id"]
)
_PARAMS = st.lists(
    st.builds(
        lambda base, name, word: {**base, "name": name, "destination": word, "from": word},
        _objects(("value", "type", "default", "optional", "enumerables", "version_regex", "lambda")),
        st.sampled_from(["a", "b", "c"]),
        _WORDS,
    ),
    max_size=4,
)
_JOBS = st.builds(
    lambda base, params: {"command": "true", **base, "params": params},
    _objects(("command", "disk_usage", "time_limit", "soft_time_limit", "pre", "recommended-queues", "x")),
    _PARAMS,
)
_IOS = st.builds(
    lambda base, params: {**base, "params": params},
    _objects(("label", "component", "allowed_accounts", "enable_dedup", "dedup_keys", "x")),
    _PARAMS,
)


@given(_JOBS, _IOS, st.dictionaries(st.sampled_from(["a", "b", "z"]), _ANY))
def test_whatever_files_say_is_read_published_and_filled_or_refused(
    job: dict[str, Any], io: dict[str, Any], params: dict[str, Any]
) -> None:
    """No file and no submission makes anything fail in another way than with complaints."""
    interface = _read(job, io).interface
    if interface is None:
        return
    assert interface == interfaces.from_stored(json.loads(json.dumps(interfaces.stored(interface))))
    with contextlib.suppress(InvalidSpec):
        parse.parse_document(filling.fill(interface, filling.Request(params), {"_id": "1"}, ["job-x:v1"]))
