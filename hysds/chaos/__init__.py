"""Breaks a system of its own on purpose and says whether every promise was kept: `hysds chaos`.

Belongs here: the history of a run as values, the checker that reads it (pure: no I/O, no clock), the plan that follows
from a seed, the workload that leaves effects, the faults, the supervision of the system that they befall, the report.
Does not belong here: anything of a system in use. A chaos run makes its own home, its own server and its own workers.
"""
