"""Where documents wait while the store is away: segment files on this host's disk, and memory for tests.

Belongs here: how portions are written, found, taken over and dropped. Does not belong here: when documents are spilled
and drained (`indexer`), what a document holds (`core.document`).
"""
