"""One job from claim to commit.

Belongs here: the claim, the work directory and its files, the run, its live output, the one commit; lease keeping;
what a host has free. `run.py` reads aloud as the sequence.
Does not belong here: Celery (`tasks`, `bootsteps`), policy (`core`), how a workload is run (`adapters.engines`).
"""
