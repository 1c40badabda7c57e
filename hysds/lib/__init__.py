"""What the standard library could have had: it knows no job.

Belongs here: sizes and durations with units, guarded processes, tailing a growing file, transport retries.
Does not belong here: anything that names a job, a queue or a setting.
"""
