"""Proves or refutes each guarantee over a history: `check(history)` answers every violation, with its shortest history.

    history = History(asked, events, effects, documents, answers, leftovers, Terms(…))   # hysds.chaos.history
    violations = check(history)                                                          # () when all was kept
    print(*(violation.text() for violation in violations), sep="\\n")

Pure: no I/O, no clock. A violation's `shown` are the facts without which it would not follow: taking any one of them
away, the same thing could no longer be said. `GUARANTEES` names all that is judged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from hysds.chaos.history import Answer, Effect, History, Terms
from hysds.chaos.rules import answers, documents, effects, limits, steps, twins
from hysds.chaos.story import Story, stories
from hysds.ports.events import Entry

Rule = Callable[[Sequence[Story], Terms], Iterable[str]]
"""Sentences about what is wrong in a group of stories: one job's, those of one digest, all that were answered."""


def _of_each(rule: Callable[[Story, Terms], Iterable[str]]) -> Rule:
    return lambda group, terms: (sentence for story in group for sentence in rule(story, terms))


_OF_ONE_JOB: Mapping[str, Callable[[Story, Terms], Iterable[str]]] = {
    "ends once": steps.ends_once,
    "stays ended": steps.stays_ended,
    "ends as asked": steps.ends_as_asked,
    "allowed steps": steps.allowed,
    "revisions grow": steps.revisions_grow,
    "fences grow": steps.fences_grow,
    "one lease at a time": steps.one_lease_at_a_time,
    "a cancel is obeyed": steps.cancel_is_obeyed,
    "a cancel is kept": steps.cancel_is_kept,
    "effects under a claimed fence": effects.fence_was_claimed,
    "nothing twice": effects.nothing_twice,
    "the winner is whole": effects.winner_is_whole,
    "no effect of a lost lease after the next claim": effects.none_too_late,
    "attempts take turns": effects.attempts_take_turns,
    "quiet after the end": effects.quiet_after_the_end,
    "a lease told is live": answers.leases_are_live,
    "a drained worker gets nothing": answers.drained_get_nothing,
    "a loss told is true": answers.losses_are_true,
    "a commit told is kept": answers.commits_are_kept,
    "a release told is kept": answers.releases_are_kept,
    "a cancel is told": answers.cancel_is_told,
    "the document is the last word": documents.is_the_last_word,
    "attempts are listed": documents.attempts_are_listed,
    "one attempt completed": documents.one_attempt_completed,
    "the document has a place": documents.has_a_place,
}
_OF_TWINS: Mapping[str, Rule] = {
    "one of its twins at a time": twins.one_at_a_time,
    "dropped for a reason": twins.dropped_for_a_reason,
}
_OF_A_KEY: Mapping[str, Rule] = {"never over the limit": limits.never_over}
_OF_BIDDERS: Mapping[str, Rule] = {"one nonce, one lease": answers.one_nonce_one_lease}
_RULES: Mapping[str, Rule] = {
    **{name: _of_each(rule) for name, rule in _OF_ONE_JOB.items()},
    **_OF_TWINS,
    **_OF_A_KEY,
    **_OF_BIDDERS,
}
_LEFT = "nothing is left"
GUARANTEES: tuple[str, ...] = (*_RULES, _LEFT)
"""The names of all that is judged."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A guarantee that was broken: which, by which job ("": none in particular), what happened, and what shows it."""

    guarantee: str
    id: str
    says: str
    shown: tuple[str, ...] = ()
    """The shortest violating history, a fact a line, in order."""

    def text(self) -> str:
        """For people: the sentence, and under it the history."""
        who = f"job {self.id}: " if self.id else ""
        return "\n".join([f"{self.guarantee}: {who}{self.says}", *(f"    {line}" for line in self.shown)])


def check(history: History) -> tuple[Violation, ...]:
    """Every violation of every guarantee, job by job; () when all of them were kept."""
    told = tuple(stories(history))
    groups = [
        *(((story,), _OF_ONE_JOB) for story in told),
        *((group, _OF_TWINS) for group in _by_digest(told)),
        *((tuple(group), _OF_A_KEY) for group in limits.keys_of(told).values()),
        (tuple(story for story in told if story.answers), _OF_BIDDERS),
    ]
    found = [
        _violation(name, group, says, history.terms)
        for group, names in groups
        for name in names
        for says in _RULES[name](group, history.terms)
    ]
    found += [Violation(_LEFT, one.id, f"a {one.kind} is left: {one.what}") for one in history.leftovers]
    return tuple(found)


def _by_digest(told: Sequence[Story]) -> Iterator[tuple[Story, ...]]:
    groups: dict[str, list[Story]] = defaultdict(list)
    for story in told:
        if story.asked.digest:
            groups[story.asked.digest].append(story)
    return (tuple(group) for group in groups.values())


def _violation(name: str, group: Sequence[Story], says: str, terms: Terms) -> Violation:
    shortest = _shortest(group, lambda fewer: says in _RULES[name](fewer, terms))
    id = group[0].id if len(group) == 1 else ""
    return Violation(name, id, says, tuple(_lines(shortest)))


def _shortest(group: Sequence[Story], is_still_wrong: Callable[[Sequence[Story]], bool]) -> Sequence[Story]:
    """The group without each fact that the violation does not need."""
    for place in range(len(group)):
        for name in ("events", "effects", "answers"):
            for fact in getattr(group[place], name):
                fewer = _without(group, place, name, fact)
                group = fewer if is_still_wrong(fewer) else group
    return group


def _without(group: Sequence[Story], place: int, name: str, fact: object) -> Sequence[Story]:
    story = group[place]
    left = list(getattr(story, name))
    left.remove(fact)
    changes: dict[str, Any] = {name: tuple(left)}
    fewer = list(group)
    fewer[place] = replace(story, **changes)
    return fewer


def _lines(group: Sequence[Story]) -> Iterator[str]:
    """Events, effects and answers of these stories on one line of time."""
    several = len(group) > 1
    facts: list[tuple[tuple[int, ...], str]] = []
    for story in group:
        who = f"{story.id} " if several else ""
        facts += [((entry.event.revision, 0), who + _event(entry)) for entry in story.events]
        facts += [((effect.wall_us, 1), who + _effect(effect)) for effect in story.effects]
        at = partial(_time_of, story.events)
        facts += [((at(answer), 2), who + _answer(answer)) for answer in story.answers]
    return (line for _, line in sorted(facts, key=lambda fact: fact[0]))


def _time_of(events: Sequence[Entry], answer: Answer) -> int:
    """About when an answer came: the newest event then."""
    ms = answer.after.partition("-")[0]
    known = [entry.event.revision for entry in events if entry.position == answer.after]
    return known[0] if known else int(ms) * 1000


def _event(entry: Entry) -> str:
    event = entry.event
    return f"{event.revision} event {event.step}: {event.status}, fence {event.fence} (at {entry.position})"


def _effect(effect: Effect) -> str:
    number = f" {effect.number}" if effect.number else ""
    return (
        f"{effect.wall_us} effect of fence {effect.fence}: {effect.mark}{number} "
        f"(boot {effect.boot_us}, pid {effect.pid})"
    )


def _answer(answer: Answer) -> str:
    nonce = f", nonce {answer.nonce}" if answer.nonce else ""
    said = f" said {answer.said}" if answer.said else ""
    return f"after {answer.after}: {answer.worker} {answer.call} fence {answer.fence}{said}{nonce}"
