"""What a rule asks for, made of its params, the job type and the document."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hysds.core.cause import Cause
from hysds.core.errors import InvalidSpec
from hysds.core.job_types.catalog import EMPTY, Creator, JobType, catalog
from hysds.core.rules import lineage, mapping
from hysds.core.rules.lineage import MAX_DEPTH, Occasion
from hysds.core.rules.mapping import Ground
from hysds.core.rules.rule import On, Rule

_DEEP: Any = 1
for _ in range(2_000):
    _DEEP = [_DEEP]
DOCUMENT: dict[str, Any] = {
    "id": "j1",
    "status": "job-failed",
    "type": "job:x",
    "short_error": "no space",
    "job": {"name": "scene-1", "params": {"url": "s3://b/a", "list": [{"x": 1}, {"x": 2}], "deep": _DEEP}},
}
RULE = Rule("r", {"match_all": {}}, "job:x", params={"_command": "run"})


def _described(rule: Rule, *types: JobType) -> dict[str, Any]:
    return mapping.described(rule, DOCUMENT, Ground(catalog(types), "tasks"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3),
        ({"from": "job.params.url"}, "s3://b/a"),
        ({"from": "_source.job.params.url"}, "s3://b/a"),
        ({"from": "_id"}, "j1"),
        ({"from": "job.params.list.x"}, [1, 2]),
        ({"from": "job.params.list.1.x"}, 2),
        ({"from": "nothing", "default": None}, None),
        ({"from": f"job.params.list.{'9' * 5_000}", "default": "none"}, "none"),
        ({"from": f"job.params.deep{'.x' * 2_000}", "default": "none"}, "none"),
        ({"value": {"from": "x"}}, {"from": "x"}),
        ({"from": "id", "odd": 1}, {"from": "id", "odd": 1}),
        ([{"from": "id"}], [{"from": "id"}]),
    ],
    ids=str,
)
def test_a_param_is_a_value_or_what_stands_at_a_path(value: Any, expected: Any) -> None:
    """In our spelling and in HySDS's."""
    rule = replace(RULE, params={"_command": "run", "v": value})

    assert _described(rule)["payload"]["v"] == expected


def test_every_path_where_nothing_stands_is_told() -> None:
    """With the document that lacks it."""
    rule = replace(RULE, params={"a": {"from": "x.y"}, "b": {"from": "job.z"}})
    with pytest.raises(InvalidSpec) as refusal:
        _described(rule)

    assert [str(one) for one in refusal.value.complaints] == [
        "$.params.a: job j1 has no x, which the value is taken from",
        "$.params.b: job j1 has no job.z, which the value is taken from",
    ]


def test_a_job_is_named_tagged_and_placed_as_the_rule_says() -> None:
    """Its tag is the rule, so that a search finds its jobs."""
    rule = replace(RULE, job_name={"from": "job.name"}, queue="q", priority=2, owner="o")

    assert _described(rule) == {
        "job_type": "job:x",
        "payload": {"_command": "run"},
        "job_name": "scene-1",
        "job_queue": "q",
        "priority": 2,
        "tag": "r",
        "username": "o",
    }


def test_creators_get_what_hysds_s_rules_hand_them() -> None:
    """The rule, its arguments as text, and the hit."""
    job_type = JobType("job:x", creators=(Creator("x", "m.f"),))
    payload = _described(replace(RULE, params={"email_addresses": "a@b"}, owner="o"), job_type)["payload"]

    assert payload["rule"]["rule_name"] == "r"
    assert payload["rule"]["kwargs"] == '{"email_addresses": "a@b"}'
    assert payload["rule_hit"]["_source"]["status"] == "job-failed"
    assert (payload["job_id"], payload["objectid"]) == ("j1", "j1")


@pytest.mark.parametrize("then", ["job:gone", "x"])
def test_a_type_that_is_not_there_is_told(then: str) -> None:
    """When the rule is added, and when it fires: it may have gone since."""
    rule = replace(RULE, then=then, params={})
    for look in (lambda: _described(rule), lambda: mapping.check(rule, Ground(EMPTY, "tasks"))):
        with pytest.raises(InvalidSpec, match="not registered"):
            look()


def test_a_command_of_the_rule_s_own_needs_no_type() -> None:
    """As for any spec."""
    mapping.check(RULE, Ground(EMPTY, "tasks"))


def test_a_mail_has_words_of_its_own_where_the_rule_has_none() -> None:
    """Enough to know what it is about."""
    rule = replace(RULE, then="action:mail", params={"to": ["a@b"]}, priority=4)
    made = _described(rule)

    assert (made["kind"], made["job_queue"], made["priority"], made["tag"]) == ("task", "tasks", 4, "r")
    asked = made["payload"]["kwargs"]
    assert asked["subject"] == "r: job:x job-failed j1"
    assert "short_error: no space" in asked["text"]
    with pytest.raises(InvalidSpec):
        _described(replace(rule, params={"to": 3}))
    with pytest.raises(InvalidSpec):
        _described(replace(rule, then="action:webhook", params={"url": ["x"]}))


@pytest.mark.parametrize("then", ["action:mail", "action:webhook"])
def test_a_mail_or_webhook_in_a_queue_of_job_workers_is_refused(then: str) -> None:
    """Its task would wait there for ever. A retry is a job, and a job belongs there."""
    ground = Ground(EMPTY, "tasks", ("default", "gpu"))
    rule = replace(RULE, then=then, params={"to": "a@b"}, queue="gpu")
    with pytest.raises(
        InvalidSpec, match=f"queue: {then} is a task, and gpu is a queue of job workers.* tasks"
    ):
        mapping.check(rule, ground)
    mapping.check(replace(rule, queue="notices"), ground)
    mapping.check(replace(rule, queue=""), ground)
    mapping.check(replace(rule, then="action:retry", params={}), ground)
    mapping.check(replace(RULE, queue="gpu"), ground)


def _occasion(cause: Cause | None = None, retries: int = 0) -> Occasion:
    return Occasion(On.JOB, "j1", 7, DOCUMENT, cause, retries)


def test_a_firing_has_one_id_for_each_rule_job_and_revision() -> None:
    """Whatever else the rule says."""
    ids = {
        lineage.firing_id(RULE, _occasion()),
        lineage.firing_id(replace(RULE, then="job:y", priority=1), _occasion()),
    }
    others = {
        lineage.firing_id(replace(RULE, name="s"), _occasion()),
        lineage.firing_id(RULE, replace(_occasion(), id="j2")),
        lineage.firing_id(RULE, replace(_occasion(), revision=8)),
        lineage.firing_id(RULE, replace(_occasion(), on=On.EVENT)),
    }

    assert (len(ids), len(others), ids & others) == (1, 4, set())


def test_a_lineage_stops_a_rule_that_is_in_it_oftener_than_it_says() -> None:
    """Itself, wherever in the chain."""
    of_other, of_own = Cause("s", "x", 1, ("s",)), Cause("s", "x", 2, ("r", "s"))

    assert lineage.objection(RULE, _occasion(of_other)) == ""
    assert "r -> s" in lineage.objection(RULE, _occasion(of_own))
    assert lineage.objection(replace(RULE, repeats=1), _occasion(of_own)) == ""
    assert lineage.cause_of(RULE, _occasion(of_other)) == Cause("r", "j1", 2, ("s", "r"))


def test_a_chain_ends_by_its_depth() -> None:
    """Causes and retries count."""
    assert lineage.objection(RULE, _occasion(None, MAX_DEPTH - 1)) == ""
    assert lineage.objection(RULE, _occasion(None, MAX_DEPTH)) != ""
    assert lineage.objection(RULE, _occasion(Cause("s", "x", 10, ("s",)), MAX_DEPTH - 10)) != ""


@pytest.mark.parametrize("count", [1, 2, 10, 30])
def test_rules_that_all_match_everything_make_no_millions_of_jobs(count: int) -> None:
    """Each fires on what the others caused: ten would make 9,864,100 jobs of one, in all their orders."""
    rules = [replace(RULE, name=f"r{number}") for number in range(count)]
    left, made = [Occasion(On.JOB, "j", 1, {})], 0
    while left:
        one = left.pop()
        firing = [rule for rule in rules if not lineage.objection(rule, one)]
        made += len(firing)
        both = replace(one, rules=len(firing))
        left.extend(replace(one, cause=lineage.cause_of(rule, both)) for rule in firing)

    assert made <= 30_000
