"""The guarantees, one function each: a group of stories in, sentences about what is wrong out.

Belongs here: what must hold of events, effects, answers and documents. Does not belong here: reading any of them.
"""
