"""Rules in a whole system in memory: what fires, what is stopped, and what is left of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hysds.core import happenings
from hysds.core.errors import Conflict, InvalidSpec
from hysds.core.happenings import EVENT, WORKER, Happening
from hysds.core.job_types import catalog
from hysds.core.job_types.catalog import Command, Creator, Dedup, JobType
from hysds.core.query import JobQuery
from hysds.core.rules import lineage, published
from hysds.core.rules.lineage import MAX_DEPTH
from hysds.orchestrator import job_repository
from hysds.testing import Play, SimulatedSystem

_JOB_FILES = Path(__file__).parents[2] / "job_files"
FAILED = {"term": {"status": "job-failed"}}
COMPLETED = {"term": {"status": "job-completed"}}
ALL: dict[str, Any] = {"match_all": {}}


def script(workload: Any) -> Play:
    """A command fails when it says so."""
    return Play(exit_code=1 if "fail" in workload.argv else 0)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SimulatedSystem]:
    """A system with some job types."""
    types = [
        JobType("job:report", command=Command("/bin/report"), queues=("default",)),
        JobType("job:broken", command=Command("/bin/broken", arguments=("fail",)), queues=("default",)),
        JobType(
            "job:fan",
            creators=tuple(
                Creator(f"fan-{n}", "hysds.creators.scripts.custom_script", ("default",)) for n in range(3)
            ),
            command=Command("/bin/fan"),
            queues=("default",),
        ),
        JobType(
            "custom_script",
            command=Command("/bin/script"),
            queues=("default",),
            dedup=Dedup(enabled=False),
        ),
    ]
    with SimulatedSystem(tmp_path, script) as system:
        system.system.catalog.change(lambda known: catalog.catalog(types))
        yield system


def add(house: SimulatedSystem, name: str, when: dict[str, Any], then: str, **more: Any) -> None:
    house.client.rules.add({"name": name, "when": when, "then": then, **more})


def submit(house: SimulatedSystem, *words: str, **fields: Any) -> str:
    spec = {
        "job_type": "job:x",
        "job_queue": "default",
        "payload": {"_command": " ".join(["run", *words]), **fields},
    }
    return house.client.submit(spec).id


def jobs(house: SimulatedSystem, **query: Any) -> list[dict[str, Any]]:
    """Documents of all jobs, the oldest first."""
    return list(house.client.jobs(JobQuery(descending=False, limit=1000, **query)).documents)


def told(house: SimulatedSystem, kind: str) -> list[dict[str, Any]]:
    """What rules told, in the journal still or written already; what comes of others behind those."""
    entries = house.system.journal.follow("", 10_000, 0)
    waiting = {one.happening.id: happenings.document(one.happening) for one in entries}
    written = {one["id"]: one for one in house.client.rules.history("", None, 10_000)}
    found = [one["event"] for one in (waiting | written).values() if one["type"] == f"rule-{kind}"]
    return sorted(found, key=lambda one: (one["rule_depth"], one["rule"]))


def test_a_rule_makes_a_job_of_one_that_ended(house: SimulatedSystem) -> None:
    """With what it was told to take of the document, and the trace of what caused it."""
    add(
        house,
        "report",
        {"bool": {"must": [FAILED, {"term": {"job.params.scene": "s1"}}]}},
        "job:report",
        params={
            "about": {"from": "id"},
            "scene": {"from": "_source.job.params.scene"},
            "n": 3,
            "left": {"from": "x.y", "default": 0},
        },
        priority=7,
        owner="anna",
    )
    old = submit(house, "fail", scene="s1")
    submit(house, "fail", scene="s2")
    house.settle()

    [made] = jobs(house, type=frozenset({"job:report"}))
    asked = {name: value for name, value in made["job"]["params"].items() if name != "_command"}
    assert asked == {"about": old, "scene": "s1", "n": 3, "left": 0}
    assert (made["job"]["priority"], made["job"]["username"], made["job"]["tag"]) == (7, "anna", "report")
    assert (made["caused_by"], made["rule"], made["rule_depth"]) == (old, "report", 1)
    assert made["status"] == "job-completed"
    [event] = told(house, "fired")
    assert (event["rule"], event["caused_by"], event["job_id"]) == ("report", old, made["id"])


@pytest.mark.parametrize(("on", "count"), [("job", 1), ("task", 0)])
def test_a_rule_looks_at_what_it_is_for(house: SimulatedSystem, on: str, count: int) -> None:
    """A rule of tasks does not see jobs."""
    add(house, "r", ALL, "job:report", on=on)
    submit(house)
    house.settle()

    assert len(told(house, "fired")) == count


def test_a_refused_submission_fires_where_it_has_an_id(house: SimulatedSystem) -> None:
    """Also what never became a job."""
    add(
        house,
        "refused",
        {"term": {"failure_class": "invalid"}},
        "job:report",
        params={"about": {"from": "id"}},
    )
    id_ = "00000000-0000-4000-8000-000000000001"
    with pytest.raises(Exception, match="job_type"):
        house.system.receiver().submit_job({"payload": {}}, id_, 0)
    house.settle()

    [made] = jobs(house, type=frozenset({"job:report"}))
    assert made["job"]["params"]["about"] == id_


def test_a_duplicate_and_a_cancelled_job_fire_too(house: SimulatedSystem) -> None:
    """Every end is one."""
    add(
        house,
        "ends",
        {"terms": {"status": ["job-deduped", "job-revoked"]}},
        "job:report",
        params={"about": {"from": "id"}},
    )
    submit(house, scene="1")
    twin = submit(house, scene="1")
    other = submit(house, scene="2")
    house.client.cancel([other])
    house.settle()

    assert {one["caused_by"] for one in told(house, "fired")} == {twin, other}


def test_rules_see_only_what_happens_after_them(house: SimulatedSystem) -> None:
    """Neither the past, nor what happens while a rule is disabled; switching on is a beginning."""
    add(house, "first", ALL, "job:report", params={"a": {"from": "id"}}, enabled=False)
    submit(house, scene="1")
    house.settle()
    add(house, "second", {"term": {"status": "never"}}, "job:report")
    submit(house, scene="2")
    house.work()  # ended, and not seen yet
    house.clock.advance(1)
    house.client.rules.switch("first", enabled=True)
    house.clock.advance(1)
    new = submit(house, scene="3")
    house.settle()

    assert [one["caused_by"] for one in told(house, "fired")] == [new]


def test_a_rule_hears_though_the_clock_is_set_back_behind_it(house: SimulatedSystem) -> None:
    """A server whose clock was hours ahead when the rule was added: jobs that end now end before the rule was there."""
    add(house, "r", {"term": {"job.tag": "new"}}, "job:report", params={"a": {"from": "id"}})
    house.clock.advance(-7_200)
    spec = {"job_type": "job:x", "job_queue": "default", "tag": "new", "payload": {"_command": "run"}}
    new = house.client.submit(spec).id
    house.settle()

    assert [one["caused_by"] for one in told(house, "fired")] == [new]


def test_a_firing_that_is_repeated_is_the_same(house: SimulatedSystem) -> None:
    """Killed between the submission and the acknowledgement: another reads the entry again."""
    add(house, "r", FAILED, "job:report", params={"a": {"from": "id"}})
    submit(house, "fail")
    house.work()
    one = house.system.carrying_out_rules(patience_s=0.0)
    entries = house.system.events.read("rules", "dead", 100, 0)
    occasions = house.system.occasions.of_events([entry.event for entry in entries])
    armed = [*house.system.rules.current().rules.values()]
    assert len(armed) == 1
    house.system.events.adopt("rules", "dead", 0, 100)  # nobody else's
    for _ in range(3):
        for occasion in occasions:
            [*one._firing.fired(house.system.rules.armed(occasion.on), occasion)]
    house.settle()

    assert len(jobs(house, type=frozenset({"job:report"}))) == 1


def test_a_rule_that_is_edited_while_it_fires_fires_once(house: SimulatedSystem) -> None:
    """Whatever it says by the time that another orchestrator carries it out."""
    add(house, "r", FAILED, "job:report", params={"a": 1})
    submit(house, "fail")
    house.work()
    entries = house.system.events.read("rules", "dead", 100, 0)
    [occasion] = house.system.occasions.of_events([entry.event for entry in entries])
    runner = house.system.carrying_out_rules(patience_s=0.0)
    before = [*runner._firing.fired(house.system.rules.armed(occasion.on), occasion)]
    rule = house.client.rules.get("r")
    house.system.rules.change(published.added(replace(rule, params={"a": 2}), may_replace=True))
    after = [*runner._firing.fired(house.system.rules.armed(occasion.on), occasion)]
    house.settle()

    [made] = jobs(house, type=frozenset({"job:report"}))
    assert made["job"]["params"]["a"] == 1
    assert [one.outcome.value for one in (*before, *after)] == ["fired", "fired"]


@pytest.mark.parametrize("on", ["job:report", "job:broken"])
def test_a_rule_that_matches_everything_does_not_feed_itself(house: SimulatedSystem, on: str) -> None:
    """What it causes is seen, said to be its own, and left alone."""
    add(house, "all", ALL, on, params={"a": {"from": "id"}})
    submit(house)
    house.settle()

    assert len(jobs(house)) == 2
    assert len(told(house, "fired")) == 1
    [stopped] = told(house, "stopped")
    assert "all" in stopped["reason"]


def test_rules_that_cause_each_other_come_to_an_end(house: SimulatedSystem) -> None:
    """A chain is followed by its lineage: each of them fires once on what the first one began."""
    add(house, "ping", {"term": {"job.tag": "pong"}}, "job:report", params={"a": {"from": "id"}})
    add(
        house,
        "pong",
        {"bool": {"must_not": {"term": {"job.tag": "pong"}}}},
        "job:report",
        params={"a": {"from": "id"}},
    )
    submit(house)
    house.settle()

    assert [one["rule"] for one in told(house, "fired")] == ["pong", "ping"]
    assert [one["rule_lineage"] for one in told(house, "stopped")] == [["pong", "ping", "pong"]]


def test_a_cause_that_rules_have_in_common_counts_for_more(house: SimulatedSystem) -> None:
    """Those that are stopped do not count: each of three has two others on what it caused, then one."""
    for name in ("a", "b", "c"):
        add(house, name, ALL, "job:report", params={"of": {"from": "id"}, "by": name})
    submit(house)
    house.settle()

    depths = Counter(one.get("rule_depth", 0) for one in jobs(house))
    assert depths == {0: 1, 3: 3, 5: 6, 6: 6}


def test_a_fan_out_carries_its_cause_to_every_member(house: SimulatedSystem) -> None:
    """So a rule that fires on each of three members does not become three, nine, twenty-seven."""
    add(house, "fan", COMPLETED, "job:fan", params={"a": {"from": "id"}})
    submit(house)
    house.settle()

    made = [one for one in jobs(house) if one.get("rule") == "fan"]
    assert len(made) == 4, "the group and its three members"
    assert len(told(house, "fired")) == 1
    assert len(told(house, "stopped")) == 4


def test_what_is_refused_of_a_rule_is_on_record_once(house: SimulatedSystem) -> None:
    """A rule on all failures whose own job can't be made sees that failure, and lets it be."""
    add(house, "r", FAILED, "job:report", params={"a": {"from": "job.params.absent"}})
    old = submit(house, "fail")
    house.settle()

    [event] = told(house, "failed")
    assert event["caused_by"] == old
    assert "absent" in event["reason"]
    refused = house.client.job(event["job_id"])
    assert (refused["failure_class"], refused["rule"], refused["caused_by"]) == ("invalid", "r", old)
    assert len(told(house, "stopped")) == 1


def test_a_job_type_that_is_gone_fails_its_rule_and_no_other(house: SimulatedSystem) -> None:
    """With a reason that names it; the next rule fires."""
    add(house, "a", FAILED, "job:broken", params={"x": {"from": "id"}})
    add(house, "b", FAILED, "job:report", params={"x": {"from": "id"}})
    house.system.catalog.change(
        lambda known: catalog.catalog(one for one in known.types.values() if one.name != "job:broken")
    )
    submit(house, "fail")
    house.settle()

    assert [one["rule"] for one in told(house, "fired")] == ["b", "b"]
    assert "job:broken is not registered" in told(house, "failed")[0]["reason"]


class Odd(dict[str, Any]):
    """A part of a document that nobody can look at."""

    def __contains__(self, key: object) -> bool:
        raise RuntimeError(key)


def test_a_rule_that_raises_fails_alone(house: SimulatedSystem) -> None:
    """Whatever comes up in one rule, the others fire, and the entry is done with."""
    add(house, "a", {"term": {"job.params.odd": 1}}, "job:report")
    add(house, "b", FAILED, "job:report", params={"x": {"from": "id"}})
    occasion = lineage.Occasion(
        lineage.On.JOB, "id", 2**62, {"status": "job-failed", "id": "id", "job": {"params": Odd()}}
    )
    runner = house.system.carrying_out_rules(patience_s=0.0)
    house.system.rules.latest()
    outcomes = [*runner._firing.fired(house.system.rules.armed(occasion.on), occasion)]

    assert [(one.rule.name, one.outcome.value) for one in outcomes] == [("a", "failed"), ("b", "fired")]
    assert outcomes[0].reason == "RuntimeError: odd"


def test_a_rule_may_retry_what_failed_a_few_times(house: SimulatedSystem) -> None:
    """Each retry knows the rule, which stops after as many repeats as it says."""
    add(house, "again", FAILED, "action:retry", repeats=2)
    first = submit(house, "fail")
    house.settle()

    chain = sorted(jobs(house), key=lambda one: one.get("rule_depth", 0))
    assert [one.get("retry_of") for one in chain] == [None, *(one["id"] for one in chain[:3])]
    assert (chain[0]["id"], chain[0]["retried_by"]) == (first, chain[1]["id"])
    assert [len(one.get("rule_lineage", [])) for one in chain] == [0, 1, 2, 3]
    assert len(told(house, "stopped")) == 1


def test_retries_by_other_hands_end_a_chain_by_its_depth(house: SimulatedSystem) -> None:
    """Somebody, or a job, that retries whatever fails, and a rule that has it done: the chain has an end."""
    add(house, "r", FAILED, "job:report", params={"a": {"from": "id"}})
    id_ = submit(house, "fail")
    house.settle()
    for _ in range(MAX_DEPTH + 2):
        id_ = house.client.retry(id_).id
        house.settle()

    assert len(told(house, "fired")) == MAX_DEPTH
    assert "away from what somebody asked for" in told(house, "stopped")[0]["reason"]


def test_a_type_with_an_interface_takes_what_it_needs_of_the_document(house: SimulatedSystem) -> None:
    """As of a hit, conversions included; a parameter that it does not have is refused when the rule is added."""
    house.client.add_types(job_repository.read(_JOB_FILES, "v1").types)
    add(house, "again", FAILED, "job-again:v1")
    id_ = submit(house, "fail", scene="s1")
    house.settle()

    [made] = jobs(house, type=frozenset({"job:job-again:v1"}))
    assert made["job"]["params"]["_command"] == f"echo again {id_} FAILED"
    assert made["job"]["params"]["scene"] == "s1"
    with pytest.raises(InvalidSpec, match="no such parameter"):
        add(house, "wrong", FAILED, "job-again:v1", params={"odd": 1})
    with pytest.raises(InvalidSpec, match="not registered"):
        add(house, "wrong", FAILED, "job-gone:v1")
    with pytest.raises(Conflict):
        add(house, "again", FAILED, "job-again:v1")


def test_a_mail_is_a_task_for_whoever_knows_the_mail_server(house: SimulatedSystem) -> None:
    """In the first queue of tasks, whatever the job says of itself."""
    add(house, "mail", FAILED, "action:mail", params={"to": "a@example.org, b@example.org"})
    id_ = submit(house, "fail")
    house.settle()

    [made] = jobs(house, queue=frozenset({"tasks"}))
    asked = made["job"]["params"]
    assert asked["function"] == "hysds.sdk.errands.send_mail"
    assert asked["kwargs"]["to"] == ["a@example.org", "b@example.org"]
    assert id_ in asked["kwargs"]["subject"]
    assert made["resource"] == "task"


def test_a_webhook_gets_the_document(house: SimulatedSystem) -> None:
    """Unless the rule says what to send."""
    add(house, "hook", FAILED, "action:webhook", params={"url": "https://example.org/hook"})
    id_ = submit(house, "fail")
    house.settle()

    [made] = jobs(house, queue=frozenset({"tasks"}))
    assert made["job"]["params"]["kwargs"]["document"]["document"]["id"] == id_


def test_a_rule_looks_at_events_and_workers(house: SimulatedSystem) -> None:
    """What is told in the journal; each telling of a worker is one, an event is one however often it is told."""
    add(
        house,
        "odd",
        {"term": {"type": "odd"}},
        "job:report",
        on="event",
        params={"a": {"from": "event.what"}},
    )
    add(
        house,
        "gone",
        {"term": {"status": "worker-offline"}},
        "job:report",
        on="worker",
        params={"a": {"from": "id"}},
    )
    event = Happening(
        "00000000-0000-4000-8000-000000000001", EVENT, "odd", "told", 1_000, event={"what": "disk"}
    )
    worker = Happening("celery@a", WORKER, "worker", "worker-offline", 1_000)
    house.system.journal.tell([event, worker])
    house.follow_rules()
    house.system.journal.tell([replace(event, at_ms=2_000), replace(worker, at_ms=2_000)])
    house.settle()

    made = sorted((one["job"]["params"]["a"], one["status"]) for one in jobs(house))
    assert made == [("celery@a", "job-completed"), ("celery@a", "job-deduped"), ("disk", "job-completed")]


def test_a_rule_on_all_events_does_not_feed_on_its_own(house: SimulatedSystem) -> None:
    """What rules tell are events too; a stop that its own telling brought about is not told."""
    add(house, "all", ALL, "job:report", on="event", params={"a": {"from": "id"}})
    house.system.journal.tell(
        [Happening("00000000-0000-4000-8000-000000000001", EVENT, "odd", "told", 1_000)]
    )
    house.settle()

    assert len(told(house, "fired")) == 1
    assert told(house, "stopped") == []


def test_streams_are_kept_for_rules_only_while_there_are_some(house: SimulatedSystem) -> None:
    """A rule that nobody carries out holds events back; removed, it holds nothing."""
    add(house, "r", ALL, "job:report", params={"a": {"from": "id"}})
    submit(house)
    house.work()
    house.index()

    assert house.system.behind_of_rules() > 0
    assert house.system.events.trim() == 0
    house.client.rules.remove("r")
    assert house.system.behind_of_rules() == 0
    assert house.system.events.trim() > 0


def test_a_rule_is_tried_on_the_past_and_nothing_happens(house: SimulatedSystem) -> None:
    """What it would have submitted, what it could not have, what would have been stopped."""
    good, bad = submit(house, "fail", scene="s"), submit(house, "fail")
    submit(house)
    house.settle()
    rule = house.client.rules.read(
        {"name": "r", "when": FAILED, "then": "job:report", "params": {"s": {"from": "job.params.scene"}}}
    )
    before = len(jobs(house))

    trials = {one.document["id"]: one for one in house.client.rules.tried(rule, None, 100)}

    assert {id_: one.outcome.value for id_, one in trials.items()} == {good: "fired", bad: "failed"}
    spec = trials[good].spec
    assert spec is not None
    assert spec.payload == {"s": "s"}
    house.settle()
    assert len(jobs(house)) == before
