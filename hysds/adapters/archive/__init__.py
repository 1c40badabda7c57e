"""Where documents of ended jobs are kept for good: a directory, any place that fsspec reaches, and memory for tests.

Belongs here: how segments are written, read and named. Does not belong here: what is archived and when (`indexer`),
what is made of it (`hysds index`).
"""
