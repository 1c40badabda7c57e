"""What is wrong with a system, and with this host as a part of it.

Belongs here: rules over what the ledger, the roster and the host tell, and looking at all parts within a bounded time.
Does not belong here: what only a client of a server knows (each adapter's own check), printing (`cli`), mending.
"""
