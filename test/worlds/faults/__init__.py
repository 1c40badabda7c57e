"""A system whose processes are killed at named moments of a job's way.

Belongs here: which moments there are and how a process acts at one (`inside/`, which the roles under test load), the
system that lives through it, what is looked at afterwards, the matrix of all of it. Not here: fixtures and tests
(`test/faults`). Nothing in the package knows of any of this.
"""
