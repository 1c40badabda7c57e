"""What whoever works under leases needs, whatever the work is: to win them, to keep them, to end them in order.

Belongs here: claims, renewals, the inbox, presence, drains, the proof of a worker's death and what follows from it, the
work directories that attempts leave, and what the ledger is told of an end.
Does not belong here: how the work itself is done; that is `job_worker`'s and `task_worker`'s.
"""
