"""What must hold of what workers were told: it was so at that moment, and it stays so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hysds.chaos.history import Answer, Call, Terms, order
from hysds.chaos.story import Story, live_fence, up_to


def leases_are_live(story: Story, terms: Terms) -> Iterator[str]:
    """A lease that a claim handed out, or a renewal called good, was the job's live one then."""
    for answer in story.answers:
        handed = answer.call is Call.CLAIM
        if not handed and (answer.call is not Call.RENEW or answer.said not in ("ok", "cancel")):
            continue
        live = live_fence(story, answer.after)
        if answer.fence != live:
            what = "was handed" if handed else f"was told {answer.said} for"
            yield f"{answer.worker} {what} the lease with fence {answer.fence}, while {_live(live)}"


def drained_get_nothing(story: Story, terms: Terms) -> Iterator[str]:
    """A worker that is drained is handed no lease but one that its bid had won before the order."""
    for answer in story.answers:
        if answer.call is Call.CLAIM and answer.said == "drained":
            yield f"{answer.worker} was drained and was handed the lease with fence {answer.fence}"


def losses_are_true(story: Story, terms: Terms) -> Iterator[str]:
    """What is called lost is not the live lease: `lost` names a lease, never a job."""
    for answer in story.answers:
        if answer.call is Call.CLAIM or answer.said != "lost":
            continue
        if answer.call is Call.COMMIT and _was_committed(story, answer):
            yield f"{answer.worker} repeated the commit of fence {answer.fence} and was told lost, not again"
        elif answer.fence == live_fence(story, answer.after):
            yield f"{answer.worker} was told lost ({answer.call}) for fence {answer.fence}, which was live"


def commits_are_kept(story: Story, terms: Terms) -> Iterator[str]:
    """A commit that was answered done or again is in the history, under its fence."""
    if terms.may_undo:
        return
    for answer in story.answers:
        if (
            answer.call is Call.COMMIT
            and answer.said in ("done", "again")
            and not _committed_by(story, answer)
        ):
            yield f"the commit of fence {answer.fence} was answered {answer.said}, and no event tells of it"


def releases_are_kept(story: Story, terms: Terms) -> Iterator[str]:
    """A release that was answered with a status is in the history, under its fence."""
    if terms.may_undo:
        return
    for answer in story.answers:
        if answer.call is Call.RELEASE and answer.said != "lost":
            steps = [entry for entry in up_to(story.events, answer.after) if entry.event.step == "release"]
            if not any(entry.event.fence == answer.fence for entry in steps):
                yield f"the release of fence {answer.fence} was answered {answer.said}, and no event tells of it"


def cancel_is_told(story: Story, terms: Terms) -> Iterator[str]:
    """Every renewal of a lease says so once the job's cancel was asked, and never before."""
    for answer in story.answers:
        if answer.call not in (Call.RENEW, Call.NOTICE) or answer.said not in ("ok", "cancel"):
            continue
        is_asked = any(entry.event.step == "cancel" for entry in up_to(story.events, answer.after))
        if is_asked and answer.said == "ok":
            yield f"the cancel was asked, and the renewal of fence {answer.fence} did not say so"
        if not is_asked and answer.said == "cancel":
            yield f"fence {answer.fence} was told of a cancel that nobody asked for"


def one_nonce_one_lease(group: Sequence[Story], terms: Terms) -> Iterator[str]:
    """A repeated bid answers the same lease for as long as that is live, whatever jobs are ready."""
    claims = [(answer, story) for story in group for answer in story.answers if answer.call is Call.CLAIM]
    won: dict[tuple[str, str], tuple[Answer, Story]] = {}
    for answer, story in sorted(claims, key=lambda claim: order(claim[0].after)):
        earlier, of_job = won.setdefault((answer.worker, answer.nonce), (answer, story))
        if answer.fence != earlier.fence and earlier.fence == live_fence(of_job, answer.after):
            yield (
                f"nonce {answer.nonce} won job {earlier.id} under fence {earlier.fence} and, while that was live, "
                f"job {answer.id} under fence {answer.fence}"
            )


def _was_committed(story: Story, answer: Answer) -> bool:
    """Whether the latest commit before this answer was of its fence."""
    commits = [entry for entry in up_to(story.events, answer.after) if entry.event.step == "commit"]
    return bool(commits) and max(commits, key=lambda entry: order(entry.position)).event.fence == answer.fence


def _committed_by(story: Story, answer: Answer) -> bool:
    commits = [entry for entry in story.events if entry.event.step == "commit"]
    return any(entry.event.fence == answer.fence for entry in commits)


def _live(fence: int) -> str:
    return f"that with fence {fence} was live" if fence else "none was live"
