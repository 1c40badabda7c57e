"""Events become documents: the ledger's stream is read, and what a job is now is written to the store.

Belongs here: reading in a group, coalescing, writing, confirming, setting aside what can't be written, ending documents
of jobs that the ledger does not know. Does not belong here: what a document holds (`core.document`), how a store keeps
it (`adapters.store`), when records are forgotten (`reconciler`).
"""
