"""Documents in an Elasticsearch cluster: jobs and tasks, what happens beside them, and the indices they lie in.

Belongs here: answers to the ports `store`, `chronicle` and `indices` over one client, and the mappings. Does not belong
here: what a document holds and what a query means (`core`), which generation is the current one (the ledger says), when
indices roll over or are dropped (`reconciler`).
"""
