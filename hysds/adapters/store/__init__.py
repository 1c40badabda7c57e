"""Where documents of jobs are kept and searched: SQLite on one machine, memory in tests.

Belongs here: answers to the port `store`, each with its client and its own files of queries. Does not
belong here: what a document holds (`core.document`), what a query means (`core.query`), when to write
(`indexer`).
"""
