"""What runs workloads.

Belongs here: one file an engine, all in the shape of `ports.engines`; `factory` knows them by name.
Does not belong here: what a job is, its files, its retries; an engine gets a command and tells how it ended.
"""
