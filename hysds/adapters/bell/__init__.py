"""Bells: one file a way of ringing.

Belongs here: how a bell is sent, on which connection, with which bounds.
Does not belong here: whether and how often to ring (`hysds.dispatcher`), and hearing (the Celery door).
"""
