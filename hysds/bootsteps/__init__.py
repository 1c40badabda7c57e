"""What starts and stops with Celery's worker.

Belongs here: bootsteps and what they need of Celery's inside: the gate, local requests, the drain, the check of how a
worker was started. Each reaches its job worker through the app.
Does not belong here: anything about a job; that is the job worker's.
"""
