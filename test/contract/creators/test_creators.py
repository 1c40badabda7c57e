"""Every adapter that calls creators answers and refuses alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hysds.adapters.creators.answers import Bounds
from hysds.adapters.creators.child import Rules
from hysds.adapters.creators.memory import MemoryCreators
from hysds.adapters.creators.process import ProcessCreators
from hysds.ports.creators import Call, CallFailed, Creators
from hysds.settings import environment

PREFIXES = ("worlds.creating", "hysds.creators")
BOUNDS = Bounds(time_limit_s=30, memory_bytes=2**30, answer_bytes=1_000_000, jobs=50)
TESTS = Path(__file__).parents[2]

Make = Callable[[tuple[str, ...]], Creators]


@pytest.fixture(params=["process", "memory"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes one of the adapters for these prefixes; all are closed in the end."""
    made: list[Creators] = []

    def one(prefixes: tuple[str, ...]) -> Creators:
        if request.param == "memory":
            made.append(MemoryCreators(prefixes, BOUNDS))
        else:
            made.append(ProcessCreators(Rules(prefixes, TESTS, BOUNDS, environment.bare())))
        return made[-1]

    yield one
    for creators in made:
        creators.close()


@pytest.fixture
def creators(make: Make) -> Creators:
    """One that may call the creators of the tests and those that come with HySDS."""
    return make(PREFIXES)


def _call(name: str, **info: object) -> Call:
    return Call(f"worlds.creating.{name}", info, "grid:v1")


def test_one_job_and_a_list_of_jobs_are_answered_as_lists(creators: Creators) -> None:
    """A function gets the payload, and the type's bare name where it has an argument for it."""
    assert creators.create(_call("one", x=1)) == ({"type": "tile", "params": {"x": 1}},)
    found = creators.create(_call("several", count=3))
    assert found == tuple({"type": "grid:v1", "params": {"number": number}} for number in range(3))
    assert creators.create(_call("several", count=0)) == ()


@pytest.mark.parametrize("name", ["utils.get_job_json", "hysds.creators.passing.get_job_json"])
def test_the_pass_through_creator_answers_to_both_names(creators: Creators, name: str) -> None:
    """HySDS's own name stands for ours."""
    found = creators.create(Call(name, {"a": [1]}, "grid:v1"))

    assert found == ({"type": "grid:v1", "params": {"a": [1]}, "localize_urls": []},)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("os.system", "is not allowed: the setting creators.prefixes allows what lies below worlds.creating"),
        ("worlds.creatingx.one", "is not allowed"),
        ("utils.rmtree", "is not allowed"),
        ("worlds.creating", "is not allowed"),
        ("worlds.creating.__import__('os')", "is no dotted name"),
        ("one", "is no dotted name"),
        ("worlds.creating.\none", "is no dotted name"),
        ("worlds.creating.run_command", "is not defined in worlds.creating but in subprocess"),
        ("worlds.creating.absent", "does not exist: module worlds.creating has no function absent"),
        ("worlds.creating.number", "does not exist"),
        ("worlds.creating.absent.one", "can't be imported"),
        ("hysds.creators.absent.one", "there is no module hysds.creators.absent"),
    ],
)
def test_only_what_the_settings_allow_is_called(creators: Creators, name: str, why: str) -> None:
    """Neither what lies elsewhere, nor what an allowed module only imported, nor what is no name at all."""
    with pytest.raises(CallFailed) as caught:
        creators.create(Call(name, {}, "x"))

    assert why in caught.value.what


def test_names_of_the_original_mean_a_module_of_the_operators_where_that_is_allowed(make: Make) -> None:
    """Whoever has creators of their own in a module `utils` allows it, and gets what it says."""
    with pytest.raises(CallFailed) as caught:
        make(("utils",)).create(Call("utils.get_job_json", {}, "x"))

    assert "there is no module utils" in caught.value.what


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("text", "returned str where a job is a dictionary"),
        ("texts", "returned int, at position 1, where a job is a dictionary"),
        ("nothing", "returned NoneType where"),
        ("bytes_within", "JSON can't hold: Object of type bytes is not JSON serializable"),
        ("no_number", "JSON can't hold: Out of range float"),
        ("round_trip", "JSON can't hold: Circular reference"),
        ("huge", "bytes of JSON; at most 1,000,000 are taken (creators.answer)"),
    ],
)
def test_nonsense_is_refused_with_what_it_was(creators: Creators, name: str, why: str) -> None:
    """The next call of another creator is answered."""
    with pytest.raises(CallFailed) as caught:
        creators.create(_call(name))

    assert why in caught.value.what
    assert creators.create(_call("one")) == ({"type": "tile", "params": {}},)


def test_a_hundred_thousand_jobs_are_refused(creators: Creators) -> None:
    """The number of jobs of one call is bounded."""
    with pytest.raises(CallFailed) as caught:
        creators.create(_call("several", count=100_000))

    assert caught.value.what == "returned 100,000 jobs; at most 50 are taken of one call (creators.jobs)"


def test_what_a_creator_raises_is_told_with_its_last_lines(creators: Creators) -> None:
    """Whoever wrote it finds the line."""
    with pytest.raises(CallFailed) as caught:
        creators.create(_call("raising", nothing=0))

    assert caught.value.what == "raised ZeroDivisionError: division by zero"
    assert any("in raising" in line for line in caught.value.tail)
    assert caught.value.tail[-1] == "ZeroDivisionError: division by zero"
