"""What policies make of a job: whether its queue takes it, the limits that it gets there, and the keys that it shares.

Keys are texts: `queue:Q`, `type:T`, `user:U`, `key:K`, and `queue:Q/user:U` for what a queue gives to each user.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from hysds.core import policies
from hysds.core.acceptance import Bounds
from hysds.core.errors import Complaint, InvalidSpec
from hysds.core.job_types import typed_spec
from hysds.core.limit_keys import Limit, Rate
from hysds.core.policies import Policies, QueuePolicy, Share
from hysds.core.spec import JobSpec

_ONE_AT_ONCE = Share(max_running=1)
"""What a concurrency key means where no policy names it."""


class Named(NamedTuple):
    """What a job has in common with others."""

    queue: str
    job_type: str
    user: str | None
    key: str | None


def under(spec: JobSpec, named: Named, policy: QueuePolicy, gap_s: float) -> JobSpec:
    """The spec in a queue that has a policy: with the queue's time limits where nobody named any.

    Raises: InvalidSpec with all that the policy does not allow.
    """
    where = f"by the policy of queue {named.queue} ({policy.source})"
    complaints = list(_closed(named, policy, where))
    own = (spec.soft_time_limit, spec.time_limit)
    stated = (policy.soft_time_limit_s, policy.time_limit_s) if own == (None, None) else own
    soft_s, hard_s = typed_spec.bounded(stated, policy.max_time_limit_s, gap_s)
    if (soft_s, hard_s) != own:
        spec = replace(spec, soft_time_limit=soft_s, time_limit=hard_s)
    if policy.max_time_limit_s is not None:
        complaints += typed_spec.too_long(spec, policy.max_time_limit_s, f"the most that is allowed {where}")
    if complaints:
        raise InvalidSpec(tuple(complaints))
    return spec


def _closed(named: Named, policy: QueuePolicy, where: str) -> Iterator[Complaint]:
    if not policies.admits(policy.types, named.job_type):
        takes = ", ".join(policy.types)
        yield Complaint("$.job_type", f"{named.job_type} is not allowed {where}: it takes {takes}")
    if not policies.admits(policy.users, named.user):
        takes, who = ", ".join(policy.users), named.user or "a job without a username"
        yield Complaint("$.username", f"{who} is not allowed {where}: it takes {takes}")


def bounds(known: Policies, named: Named, of_type: Share | None) -> Bounds:
    """The limits and rates of a job, those first that the fewest jobs share. `of_type`: what its type itself says."""
    shares = [
        *(
            [(f"key:{named.key}", policies.of_name(known.keys, named.key) or _ONE_AT_ONCE)]
            if named.key
            else []
        ),
        *([(f"user:{named.user}", policies.of_name(known.users, named.user))] if named.user else []),
        (f"type:{named.job_type}", _both(of_type, policies.of_name(known.types, named.job_type))),
        *_of_queue(known, named),
    ]
    return Bounds(
        tuple(Limit(key, share.max_running) for key, share in shares if share and share.max_running),
        tuple(
            Rate(key, share.rate_per_s, share.burst) for key, share in shares if share and share.rate_per_s
        ),
    )


def _of_queue(known: Policies, named: Named) -> Iterator[tuple[str, Share]]:
    policy, key = policies.of_queue(known.queues, named.queue), f"queue:{named.queue}"
    if policy is None:
        return
    if named.key:
        yield f"{key}/key:{named.key}", Share(policy.max_running_per_key)
    if named.user:
        yield f"{key}/user:{named.user}", Share(policy.max_running_per_user)
    yield f"{key}/type:{named.job_type}", Share(policy.max_running_per_type)
    yield key, Share(policy.max_running, policy.rate_per_s, policy.burst)


def _both(of_type: Share | None, policy: Share | None) -> Share | None:
    """What the type says of itself and what the settings say of it: the lesser of each."""
    if of_type is None or policy is None:
        return of_type or policy
    places = [one.max_running for one in (of_type, policy) if one.max_running is not None]
    rates = [(one.rate_per_s, one.burst) for one in (of_type, policy) if one.rate_per_s is not None]
    rate_per_s, burst = min(rates, default=(None, 1))
    return Share(min(places, default=None), rate_per_s, burst)
