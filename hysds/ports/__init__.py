"""All that HySDS needs of the world: one Protocol a file.

Belongs here: what a use case may ask of a ledger, a store, a bell, an engine, and the values that only such a port
speaks of. Does not belong here: a client library, a decision, an implementation; those live in `adapters`.
"""
