"""What must hold of one job's effects: each under a claimed fence, the winner's whole, no loser's too late."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from hysds.chaos.history import Effect, Mark, Terms, status_of
from hysds.chaos.story import Story, end_of, tenures
from hysds.core.status import Status


def fence_was_claimed(story: Story, terms: Terms) -> Iterator[str]:
    """Each effect carries a fence that was claimed for its job."""
    claimed = {tenure.fence for tenure in tenures(story)}
    for effect in _firsts(story.effects):
        if effect.fence not in claimed:
            yield f"an effect carries fence {effect.fence}, which was never claimed for this job"


def nothing_twice(story: Story, terms: Terms) -> Iterator[str]:
    """No attempt does anything twice: a lease is carried out once."""
    counts = Counter(
        (effect.fence, effect.mark, effect.number)
        for effect in story.effects
        if effect.mark is not Mark.STRAY
    )
    for (fence, mark, number), count in counts.items():
        if count > 1:
            yield f"fence {fence} did {_named(mark, number)} {count} times"


def winner_is_whole(story: Story, terms: Terms) -> Iterator[str]:
    """The effects of the attempt that completed the job are all there: begin, every step, end."""
    end, steps = end_of(story), story.asked.steps
    if end is None or steps is None or status_of(end) is not Status.COMPLETED:
        return
    done = {(effect.mark, effect.number) for effect in story.effects if effect.fence == end.event.fence}
    whole = [(Mark.BEGIN, 0), *((Mark.STEP, number) for number in range(1, steps + 1)), (Mark.END, 0)]
    missing = [_named(*one) for one in whole if one not in done]
    if missing:
        yield f"fence {end.event.fence} completed the job without {', '.join(missing)}"


def none_too_late(story: Story, terms: Terms) -> Iterator[str]:
    """No effect of a lost lease is later than the next claim of its job, by the clock of the ledger's server."""
    if not terms.one_clock:
        return
    held = tenures(story)
    for tenure, following in pairwise(held):
        for effect in _last_of(story, tenure.fence, terms):
            late_us = effect.wall_us - following.claimed.event.revision
            if late_us > 0:
                yield (
                    f"fence {tenure.fence} still did {_named(effect.mark, effect.number)} "
                    f"{late_us} µs after the claim of fence {following.fence}"
                )


def attempts_take_turns(story: Story, terms: Terms) -> Iterator[str]:
    """Nothing of a lost lease was written after anything of a later one."""
    turns = {tenure.fence: turn for turn, tenure in enumerate(tenures(story))}
    newest: Effect | None = None
    told: set[int] = set()
    for effect in story.effects:
        if effect.fence not in turns or (story.id, effect.fence) in terms.excused:
            continue
        if newest is not None and turns[effect.fence] < turns[newest.fence] and effect.fence not in told:
            told.add(effect.fence)
            yield (
                f"fence {effect.fence} did {_named(effect.mark, effect.number)} after fence {newest.fence} had done "
                f"{_named(newest.mark, newest.number)}"
            )
        if newest is None or turns[effect.fence] > turns[newest.fence]:
            newest = effect


def quiet_after_the_end(story: Story, terms: Terms) -> Iterator[str]:
    """Nothing of a job does anything after the job has ended."""
    end = end_of(story)
    if end is None or not terms.one_clock or terms.may_undo:
        return
    for fence in dict.fromkeys(effect.fence for effect in story.effects):
        for effect in _last_of(story, fence, terms):
            late_us = effect.wall_us - end.event.revision
            if late_us > 0:
                yield (
                    f"fence {fence} did {_named(effect.mark, effect.number)} {late_us} µs after the job had ended "
                    f"{status_of(end)}"
                )


def _last_of(story: Story, fence: int, terms: Terms) -> list[Effect]:
    """The latest effect of a fence, in a list; empty where it has none, or its keeper was stopped."""
    if (story.id, fence) in terms.excused:
        return []
    own = [effect for effect in story.effects if effect.fence == fence]
    return [max(own, key=lambda effect: effect.boot_us)] if own else []


def _firsts(effects: tuple[Effect, ...]) -> list[Effect]:
    return list({effect.fence: effect for effect in reversed(effects)}.values())


def _named(mark: Mark, number: int) -> str:
    return f"step {number}" if mark is Mark.STEP else mark.value
