"""The job creators that come with HySDS: pure functions from the payload of a spec to descriptions of jobs.

Belongs here: functions that a job type names as creators, with the standard library alone. They are imported by the
process that calls creators, which knows no settings, no ledger and no secret.
Does not belong here: how they are called (`adapters.creators`), what becomes of their answers (`orchestrator`).
"""
