"""One machine: starts, watches and stops a Valkey server and the roles as child processes under `HYSDS_HOME`.

Belongs here: the directories and the lock of a home, the server's program and arguments, the warden (the one process
that is everybody's parent). Does not belong here: what a role does (it is given as a command line), clients of the
ledger.
"""
