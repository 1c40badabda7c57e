"""One light Python call, from claim to commit.

Belongs here: the children that calls run in, what happens to a call in one, what its end means and tells.
Does not belong here: leases (`leasing`), Celery (`tasks`, `bootsteps`), how a process is guarded (`adapters.engines`).
"""
