"""Which adapter stands behind which port: the only room that imports adapters.

Each is imported inside the function that builds it, so a process pays for what it uses.
Belongs here: building adapters and, for what is loaded late, use cases from settings. Does not belong here: what a
system is made of, and when each part is made (`bootstrap`).
"""
