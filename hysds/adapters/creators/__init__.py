"""Job creators, called in processes of their own.

Belongs here: which functions may be called, the program that calls them, its process and the bounds of both.
Does not belong here: what becomes of their answers (`orchestrator.expansion`), the creators that come with HySDS
(`hysds.creators`).
"""
