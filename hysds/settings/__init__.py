"""Typed settings with their origin, and their image as Celery's configuration.

Belongs here: what can be set, where a value may come from, what a HySDS `celeryconfig.py` means, the rules for
URLs and TLS. It is the only room that reads the environment and settings files.
Does not belong here: clients, connections, a decision about a job. Celery, redis and pydantic are never imported.
"""
