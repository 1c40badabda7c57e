"""Why a job waits that is over a limit or a rate."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hysds.core.document import document
from hysds.core.explanation import throttled
from hysds.core.explanation.explain import explain
from hysds.core.explanation.values import Explanation, Reason, Seen, Terms
from hysds.core.limit_keys import Limit, LimitState, Rate, RateState, written_limits, written_rates
from hysds.core.record import Record
from hysds.core.status import Status

NOW_MS = 1_800_000_000_000
ID, OTHER, THIRD = (f"01930f5e-7b1c-7000-8000-0123456789a{letter}" for letter in "bcd")
TERMS = Terms(NOW_MS, 30_000, 2_000, 10_000, 60_000, 3_600_000, 604_800.0, 300.0)
LIMITED = Record(
    ID,
    Status.WAITING,
    NOW_MS * 1000,
    "d",
    "gpu",
    "1s",
    0,
    reason="limit key:alpha",
    limits='[["key:alpha",2]]',
    accepted_ms=NOW_MS - 60_000,
)


def _explained(record: Record, state: LimitState | None) -> Explanation:
    spec = json.dumps({"job_type": "job:x", "payload": {"_command": "true"}})
    return explain(Seen(record.id, document(record, spec), record, limit=state), TERMS)


def test_a_job_over_a_limit_is_told_who_holds_the_places_and_where_to_raise_it() -> None:
    """And how many stand in line; no time in it is one that nobody set."""
    found = _explained(LIMITED, LimitState("key:alpha", 2, 2, (OTHER, THIRD), 7))

    assert found.why.reason is Reason.LIMIT
    assert f"all 2 places are taken by {OTHER}, {THIRD}; 7 jobs wait" in found.why.sentence
    assert found.why.advice[0] == f"hysds explain {OTHER}"
    assert "max_running of keys.alpha" in found.why.advice[1]
    assert [one.at_ms for one in found.why.coming] == [0]


def test_of_many_holders_a_few_are_named_and_the_rest_counted() -> None:
    """An array of fifty at once does not fill the screen."""
    holders = tuple(f"{number:08d}-7b1c-7000-8000-0123456789ab" for number in range(20))

    found = _explained(
        replace(LIMITED, reason="limit array:" + THIRD), LimitState("array:" + THIRD, 50, 50, holders, 900)
    )

    assert f"{holders[4]} and 45 more" in found.why.sentence
    assert holders[5] not in found.why.sentence
    assert f"array {THIRD}" in found.why.sentence


@pytest.mark.parametrize(
    ("places", "holders", "says"),
    [
        (1, (), "the one place is meant for jobs that come first and are ready to start"),
        (3, (OTHER,), f"of 3 places 1 taken by {OTHER}, the rest meant for jobs"),
    ],
)
def test_a_place_that_is_free_is_not_called_taken(places: int, holders: tuple[str, ...], says: str) -> None:
    """A ready job has it in prospect, which nobody takes as it seems; how to find that one."""
    state = LimitState("queue:slow", places, len(holders), holders, 1)

    found = _explained(replace(LIMITED, reason="limit queue:slow"), state)

    assert says in found.why.sentence
    assert found.why.advice[0].endswith("hysds jobs --status queued --queue slow")


def test_a_job_over_a_rate_is_told_when_the_next_may_start() -> None:
    """By the bucket's state, in wall time."""
    rate = RateState(interval_us=10_000_000, bucket=1, tokens=0, next_ms=4_000, waiting=3)

    found = _explained(
        replace(LIMITED, reason="rate type:job:x"), LimitState("type:job:x", 0, 0, (), 0, rate)
    )

    assert found.why.reason is Reason.RATE
    assert "rate of job type job:x: one starts each 10s; 3 jobs wait in line" in found.why.sentence
    assert found.why.coming[0].at_ms == NOW_MS + 4_000


def test_its_ttl_is_told_and_an_overdue_one_is_the_reconcilers_fault() -> None:
    """As of any job that waits."""
    state = LimitState("key:alpha", 2, 2, (OTHER,), 1)

    soon = _explained(replace(LIMITED, ttl_ms=NOW_MS + 5_000), state)
    late = _explained(replace(LIMITED, ttl_ms=NOW_MS - 60_000), state)

    assert NOW_MS + 5_000 in [one.at_ms for one in soon.why.coming]
    assert late.why.reason is Reason.RECONCILER_SILENT


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("queue:gpu", "queue gpu"),
        ("queue:gpu/user:ann", "user ann in queue gpu"),
        ("queue:gpu/type:job:a/b", "job type job:a/b in queue gpu"),
        ("key:a/b", "concurrency_key a/b"),
        ("odd", "odd"),
    ],
)
def test_a_key_is_written_for_people(key: str, says: str) -> None:
    """What an operator called it, not how the ledger does."""
    assert throttled.named(key) == says


def test_what_stands_under_the_key_may_be_unknown() -> None:
    """The reason is told all the same."""
    assert "limit of concurrency_key alpha" in _explained(LIMITED, None).why.sentence


def test_the_key_that_keeps_a_job_now_is_told_and_not_the_one_where_it_began_to_wait() -> None:
    """Its line moves on without a new revision of each job in it."""
    record = replace(
        LIMITED,
        reason="limit queue:gpu",
        limits=written_limits((Limit("queue:gpu", 2), Limit("key:k", 1))),
        rates=written_rates((Rate("queue:gpu", 1, 1),)),
    )
    free, full = (
        LimitState("queue:gpu", 2, 1, (), 0, RateState(10**6, 1, 0, 500, 0)),
        LimitState("key:k", 1, 1, (), 3),
    )

    assert throttled.keys(record) == ("queue:gpu", "key:k")
    assert throttled.kept_now(record, (free, full)) == "limit key:k"
    assert throttled.kept_now(record, (free, replace(full, used=0))) == "rate queue:gpu"
    assert throttled.kept_now(record, (replace(free, rate=None), replace(full, used=0))) == "limit queue:gpu"
