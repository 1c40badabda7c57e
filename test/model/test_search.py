"""The exhaustive search: every reachable state of the ledger and its workers, within printed bounds."""

from __future__ import annotations

import pytest

from hysds.core.status import Status
from model.ledger_model import LedgerModel
from model.mutants import (
    AFTER,
    AFTER_ANY,
    AGAIN,
    CROSSED,
    DRAINED,
    FAILOVER,
    LIMITED,
    MUTANTS,
    ONE_PLACE,
    PAIR,
    PURGED,
    THREE,
    TWO_PLACES,
    Mutant,
)
from model.search import Found, Search
from model.slim import Plan
from model.world import Bounds

_FIRST = Plan(dedup=True, ttl=True, retry=Status.WAITING, grows=True, lost_left=1)

SEARCHES: dict[str, tuple[tuple[Plan, ...], Bounds]] = {
    "two jobs, the second a duplicate of the first": ((_FIRST, Plan(dedup=True, lost_left=0)), Bounds()),
    "two jobs, the second a forced twin that has to wait": (
        (_FIRST, Plan(dedup=True, forced=True, waits=True, lost_left=0)),
        Bounds(gives_up=False),
    ),
    "one job": ((_FIRST,), Bounds()),
    "one job, the ledger fails over": ((Plan(),), FAILOVER),
    "one job, its workers are drained": ((Plan(retry=Status.WAITING),), DRAINED),
    "two jobs, the second does the first again; either is purged": (AGAIN, PURGED),
    "two jobs, the second comes after the first": (AFTER, PAIR),
    "two jobs, the second comes after any end of the first": (AFTER_ANY, PAIR),
    "two jobs, one place": (ONE_PLACE, LIMITED),
    "three jobs, two places": (TWO_PLACES, THREE),
    "three jobs, one of them needs a place of two keys": (CROSSED, PAIR),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_every_reachable_state_keeps_every_rule(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nowhere is a rule of the ledger broken, and from everywhere all jobs can still end.

    Two workers; bells (a number) lost and doubled, answers lost, a death between any two steps, leases running out.
    """
    plans, bounds = SEARCHES[name]

    found = _search(Mutant(name, "", plans=plans, bounds=bounds))

    with capsys.disabled():
        print(f"\n{name}: {found}\n  {bounds}")
        for plan in plans:
            print(f"  {plan}")
    assert found.violation == "", str(found)
    assert found.states > 500


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_with_any_one_rule_taken_out_the_search_finds_a_violation(
    mutant: Mutant, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rule that could be left out unseen would be no rule; the shortest way to the violation is printed."""
    found = _search(mutant)

    with capsys.disabled():
        print(f"\nwithout the rule ({mutant.name}): {found}")
    assert mutant.says in found.violation
    assert found.trace


def test_the_bounds_of_the_mutants_show_nothing_in_the_whole_ledger() -> None:
    """What the search finds in a mutant is the mutant's: the same bounds find nothing in the book as it is."""
    whole = {(mutant.plans, mutant.bounds) for mutant in MUTANTS if mutant.bounds.compares_fences}

    found = [_search(Mutant("whole", "", plans=plans, bounds=bounds)) for plans, bounds in whole]

    assert [str(each) for each in found if each.violation] == []


def test_a_trace_is_a_shortest_one_and_tells_each_step_in_words() -> None:
    """Breadth first: a forgotten key shows after one submission and one cancel, and no later."""
    mutant = next(mutant for mutant in MUTANTS if mutant.name == "key kept at failure")

    found = _search(mutant)

    assert found.trace == ("job 1 is submitted", "cancel job 1")


def _search(mutant: Mutant) -> Found:
    model = LedgerModel(mutant.plans, mutant.book)
    return Search(mutant.happenings(model, mutant.bounds)).run()
