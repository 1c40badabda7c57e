"""Finds what nobody finished and puts it right; the duties that come with time.

Belongs here: waking what is due, ending leases and ttls that ran out, forgetting what the store has, the audit.
Does not belong here: what a transition does (`core`), documents (`indexer`). Any number of reconcilers may run.
"""
