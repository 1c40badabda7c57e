"""Expansion: creators times queues, all of them or none, and nothing of one in another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hysds.core.errors import CreatorFailed
from hysds.core.job_types.catalog import Creator, JobType
from hysds.core.parse import parse_document
from hysds.core.spec import JobSpec
from hysds.orchestrator.expansion import Bounds, Expansion
from hysds.ports.creators import Call, CallFailed

REQUEST = JobSpec("job:grid", {"size": 3})


class Answers:
    """Creators that answer what the test says, by the function's name."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers
        self.calls: list[Call] = []

    def create(self, call: Call) -> tuple[Mapping[str, Any], ...]:
        self.calls.append(call)
        found = self._answers[call.function.rpartition(".")[2]]
        if isinstance(found, CallFailed):
            raise found
        return tuple(found)

    def close(self) -> None:
        """Nothing is held."""


def _tile(number: int, **fields: Any) -> dict[str, Any]:
    return {"type": "tile", "params": {"_command": f"echo {number}"}, **fields}


def _type(*creators: Creator) -> JobType:
    return JobType("job:grid", creators)


def _expand(
    answers: Answers, *creators: Creator, request: JobSpec = REQUEST, jobs: int = 100
) -> tuple[JobSpec, ...]:
    return Expansion(answers, parse_document, Bounds(jobs, 300.0)).expand(request, _type(*creators))


def _refusal(answers: Answers, *creators: Creator, jobs: int = 100) -> CreatorFailed:
    with pytest.raises(CreatorFailed) as caught:
        _expand(answers, *creators, jobs=jobs)
    return caught.value


def test_each_creator_is_called_once_with_payload_and_bare_type() -> None:
    """Its jobs stand in each of its queues, by creator, then job, then queue."""
    answers = Answers(one=[_tile(1)], two=[_tile(2), _tile(3)])
    found = _expand(answers, Creator("a", "m.one", ("q", "r")), Creator("b", "m.two", ("s",)))

    assert answers.calls == [Call("m.one", {"size": 3}, "grid"), Call("m.two", {"size": 3}, "grid")]
    assert [(job.payload["_command"], job.job_queue, job.job_name) for job in found] == [
        ("echo 1", "q", "a"),
        ("echo 1", "r", "a"),
        ("echo 2", "s", "b"),
        ("echo 3", "s", "b"),
    ]


def test_a_type_without_creators_is_the_request_itself() -> None:
    """Nobody is called."""
    answers = Answers()

    assert _expand(answers) == (REQUEST,)
    assert answers.calls == []


def test_nothing_of_one_creator_reaches_the_jobs_of_another() -> None:
    """Neither limits nor names nor fields: the original gave the first one's limits to the second."""
    answers = Answers(one=[_tile(1, tag="first", priority=9, context={"a": 1})], two=[_tile(2)])
    request = JobSpec("job:grid", {}, time_limit=1000.0)
    first, second = _expand(
        answers,
        Creator("a", "m.one", ("q",), 10.0, 400.0),
        Creator("b", "m.two", ("q",)),
        request=request,
    )

    assert (first.soft_time_limit, first.time_limit) == (10.0, 400.0)
    assert (second.soft_time_limit, second.time_limit) == (None, 1000.0)
    assert (second.tag, second.priority, second.context, second.job_name) == (None, None, {}, "b")


def test_a_second_creator_that_fails_leaves_nothing_of_the_first() -> None:
    """The refusal names type, function, what it did and its last lines."""
    answers = Answers(one=[_tile(1)], two=CallFailed("raised KeyError: 'x'", ("line 1", "KeyError: 'x'")))
    refusal = _refusal(answers, Creator("a", "m.one", ("q",)), Creator("b", "m.two", ("q",)))

    assert str(refusal) == (
        "job type job:grid: creator m.two raised KeyError: 'x'\n  line 1\n  KeyError: 'x'"
    )


def test_a_job_that_can_not_be_one_refuses_the_whole() -> None:
    """With its place, and not all of a hundred complaints."""
    wrong = {"params": {}, **{f"field{number}": 1 for number in range(9)}}
    refusal = _refusal(Answers(one=[_tile(1), wrong]), Creator("a", "m.one", ("q",)))

    assert refusal.args[0] == (
        "job type job:grid: creator m.one returned a job, at position 1 of 2, that can't be submitted"
    )
    assert refusal.details[0] == "$.type: is required"
    assert refusal.details[-1] == "and 5 more"
    assert len(refusal.details) == 6


def test_no_job_at_all_is_refused() -> None:
    """Whoever submits something waits for something; one creator of several may make none."""
    refusal = _refusal(Answers(one=[]), Creator("a", "m.one", ("q",)))
    assert str(refusal) == "job type job:grid: its creators returned no job at all"
    found = _expand(Answers(one=[], two=[_tile(1)]), Creator("a", "m.one"), Creator("b", "m.two"))
    assert len(found) == 1


def test_the_number_of_jobs_is_bounded_over_creators_and_queues() -> None:
    """None is made of a request that is too large."""
    tiles = [_tile(number) for number in range(4)]
    creators = Creator("a", "m.one", ("q", "r")), Creator("b", "m.one", ("q",))

    assert len(_expand(Answers(one=tiles), *creators, jobs=12)) == 12
    refusal = _refusal(Answers(one=tiles), *creators, jobs=11)
    assert str(refusal) == (
        "job type job:grid: creator m.one made 4 jobs over its queues, with 8 of the creators before it; at most 11 "
        "are taken of one submission (creators.jobs)"
    )


def test_the_requests_payload_hash_is_that_of_one_job_or_makes_those_of_several() -> None:
    """A caller who says what counts is not given one job for many."""
    request = JobSpec("job:grid", {}, payload_hash="mine")
    creator = Creator("a", "m.one", ("q",))
    [alone] = _expand(Answers(one=[_tile(1)]), creator, request=request)
    several = Answers(one=[_tile(1), _tile(1), _tile(1, payload_hash="own")])
    first, second, third = (job.payload_hash for job in _expand(several, creator, request=request))

    assert alone.payload_hash == "mine"
    assert first != second
    assert third == "own"
    assert first == _expand(several, creator, request=request)[0].payload_hash
