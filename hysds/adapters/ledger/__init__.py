"""The ledger: it answers the ports ledger and events, on Redis or Valkey, or in memory.

Belongs here: the scripts in `lua/`, one a transition, and the one place that knows the redis client.
Does not belong here: what a transition means (`core.book` is the reference, and the memory ledger),
retry of jobs, bells.
"""
