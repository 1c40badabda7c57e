"""Files of job types to begin with: the creators that come with HySDS, and one type with a command.

Belongs here: what `hysds types template` writes; `configs/` has the same files.
"""
