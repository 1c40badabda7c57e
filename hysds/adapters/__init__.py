"""The outside world, a folder a world; each folder answers one or more ports, and has a memory or simulated twin.

Belongs here: client libraries and servers' languages (Lua, SQL), each in the folder of its world, and nowhere else.
Does not belong here: a decision (it is computed in `core`), an order of steps (a use case's), the choice of an adapter
(`wiring`'s). Adapters do not know each other.
"""
