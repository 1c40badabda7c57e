"""Numbers that a process tells of its work, and how they are read.

Belongs here: keeping them in memory, writing them as Prometheus reads them, the endpoint that answers it.
Does not belong here: which metrics there are (`core.metric_names`), when they are measured (whoever does the work).
"""
