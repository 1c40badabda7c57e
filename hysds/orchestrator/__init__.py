"""A spec comes in, ready jobs come out.

Belongs here: ids, dedup, routing, acceptance, the ringing of bells.
Does not belong here: reading JSON (`core.parse`), the rules of dedup (`core`), how a bell is rung (`adapters.bell`).
"""
