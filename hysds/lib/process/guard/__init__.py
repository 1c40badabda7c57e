"""The guardian's program: it runs in a bare interpreter (`python -I -S`), outside the worker that started it.

Belongs here: the guardian, the keeper of one command, what both need of the kernel, the messages to the
worker.
Does not belong here: any import from outside this folder and the standard library; threads.
"""
