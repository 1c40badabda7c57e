"""The warden: the one small process that is everybody's parent, and outlives whoever started it by what a stop takes.

Belongs here: starting children, again where a system stands, watching and ending them, keeping their logs, and answers
to who asks; with the standard library and `hysds.lib` alone, in one thread (so that a fork is safe, and the kernel's
signal at a parent's death means the process). Does not belong here: deciding what runs; that comes as a plan over the
control socket.
"""
