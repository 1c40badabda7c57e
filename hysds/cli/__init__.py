"""The command line: arguments in, words out.

Belongs here: one file a command, loaded when it is used; how things look on a terminal; exit codes.
Does not belong here: what a command does; that is `hysds.Client`'s, or a role's.
"""
