"""Starters of real servers for tests, each on loopback or a unix socket, in a directory of its own.

Belongs here: how a server is found, configured, started and stopped. Not here: fixtures (`conftest.py`), and
anything that the package itself needs at run time.
"""
