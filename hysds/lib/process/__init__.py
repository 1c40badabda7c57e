"""Commands run under guard: whatever happens to the worker, nothing that it started is left running.

Belongs here: the guardian (a program of its own, in `guard/`) and its keepers, the calls by which a worker
uses them, the following of growing output files.
Does not belong here: what a command is for, where its files lie, container engines.
"""
